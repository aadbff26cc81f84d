// Completion for zsh: specifications for its function _arguments.
import { type Choice, functionName, type Offer, quoted, type Subject } from './facts.ts';

/** The lines of the script. */
export function zshScript({ name, options, commands, takesFiles }: Subject): string[] {
  const call = functionName(name);
  const { several = null } = options.find((option) => option.several !== null) ?? {};
  return [
    `#compdef ${name}`,
    `# Completion of ${name} for zsh. To use it: source <(${name} --completion zsh), behind compinit; or keep it as the file`,
    `# _${name} in a directory of $fpath.`,
    ...(several === null ? [] : secondsFunction(`${call}_seconds`, several.seconds)),
    `${call}() {`,
    '  _arguments \\',
    ...options.map((option) => `    ${specification(option, `${call}_seconds`)} \\`),
    ...(commands.length === 0 ? [] : [`    ${quoted(`1:command:${firstWord(commands, takesFiles)}`)} \\`]),
    takesFiles ? "    '*:file:_files'" : "    '*: :'",
    '}',
    `if [[ \${funcstack[1]} == _${name} ]]; then`,
    `  ${call} "$@"`,
    'else',
    `  compdef ${call} ${name}`,
    'fi',
  ];
}

function firstWord(commands: readonly string[], orFile: boolean): string {
  const list = `(${commands.join(' ')})`;
  return orFile ? `{_alternative "commands:command:${list}" "files:file:_files"}` : list;
}

function specification(option: Choice, secondsCall: string): string {
  const { names, summary, value, offer, isRepeatable, isOptional, several } = option;
  const others = isRepeatable ? '*' : `(${names.join(' ')})`;
  const spelled = names.length === 1 ? names[0] : `{${names.join(',')}}`;
  const colons = isOptional ? '::' : ':';
  const [first, ...more] = (value ?? '').replace(/[[\]]/g, '').split(' ');
  const values =
    value === null
      ? ''
      : several === null
        ? `${colons}${first}:${action(offer)}`
        : `:${first}:${action(offer)}:${more[0]}:${secondsCall}:${more[1]}: `;
  const explanation = `[${summary.replace(/[\\[\]]/g, '\\$&')}]`;
  return `${quoted(others)}${spelled}${quoted(`${explanation}${values}`)}`;
}

function action(offer: Offer): string {
  if (offer === 'file') return '_files';
  if (offer === 'directory') return '_files -/';
  if (offer === 'host') return '_hosts';
  return offer === 'nothing' ? ' ' : `(${offer.join(' ')})`;
}

/** A function that offers what can follow the word in front of the cursor. */
function secondsFunction(name: string, seconds: Readonly<Record<string, readonly string[]>>): string[] {
  return [
    `${name}() {`,
    '  local -a known',
    `  case \${words[CURRENT-1]} in`,
    ...Object.entries(seconds).map(([first, list]) => `    ${first}) known=(${list.join(' ')}) ;;`),
    '  esac',
    '  compadd -a known',
    '}',
  ];
}
