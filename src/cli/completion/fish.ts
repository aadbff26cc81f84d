// Completion for fish: a command `complete` for each option.
import { type Choice, functionName, type Offer, type Subject } from './facts.ts';

/** The lines of the script. */
export function fishScript({ name, options, commands, takesFiles }: Subject): string[] {
  const call = `_${functionName(name)}`;
  const several = options.filter((option) => option.several !== null);
  return [
    `# Completion of ${name} for fish. To use it: ${name} --completion fish | source`,
    `complete -c ${name} -e`,
    ...(takesFiles ? [] : [`complete -c ${name} -f`]),
    ...(commands.length === 0
      ? []
      : [`complete -c ${name} -n 'test (count (commandline -opc)) = 1' -a ${quoted(commands.join(' '))}`]),
    ...options.map((option) => `complete -c ${name} ${description(option)}`),
    ...several.flatMap((option) => secondWords(name, `${call}_behind`, option)),
  ];
}

function description({ names, summary, value, offer, isOptional }: Choice): string {
  const spellings = names.map((word) => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`));
  const values = value === null || isOptional ? [] : [offered(offer)];
  return [...spellings, ...values, `-d ${quoted(summary)}`].join(' ');
}

function offered(offer: Offer): string {
  if (offer === 'file') return '-r -F';
  if (offer === 'directory') return "-x -a '(__fish_complete_directories (commandline -ct))'";
  if (offer === 'host') return "-x -a '(__fish_print_hostnames)'";
  return offer === 'nothing' ? '-x' : `-x -a ${quoted(offer.join(' '))}`;
}

/** The second word behind an option depends on the first. */
function secondWords(name: string, call: string, option: Choice): string[] {
  return [
    `function ${call}`,
    '  set -l words (commandline -opc)',
    `  test (count $words) -gt 2; and contains -- $words[-2] ${option.names.join(' ')}; and test $words[-1] = $argv[1]`,
    'end',
    ...Object.entries(option.several?.seconds ?? {}).map(
      ([first, list]) => `complete -c ${name} -n ${quoted(`${call} ${first}`)} -f -a ${quoted(list.join(' '))}`,
    ),
  ];
}

/** Text in single quotes, where fish lets a backslash escape a quote and itself. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
