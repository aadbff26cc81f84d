// Completion for bash, 3.2 and later. The function reads the words in front of the cursor as the tools do: an option and its
// value, whatever that looks like.
import { type Choice, functionName, type Offer, quoted, type Subject } from './facts.ts';

/** The lines of the script. */
export function bashScript({ name, options, commands, takesFiles }: Subject): string[] {
  const call = functionName(name);
  const several = options.filter((option) => option.several !== null);
  const optional = options.filter((option) => option.isOptional);
  const single = options.filter(({ value, several, isOptional }) => value !== null && several === null && !isOptional);
  const names = options.flatMap((option) => option.names);
  return [
    `# Completion of ${name} for bash. To use it: source <(${name} --completion bash)`,
    `${call}() {`,
    `  local cur=\${COMP_WORDS[COMP_CWORD]} option= place=0 count i=1`,
    '  COMPREPLY=()',
    '  while ((i < COMP_CWORD)); do',
    `    case \${COMP_WORDS[i]} in`,
    ...several.map(countCase),
    ...optional.map(
      (option) =>
        `      ${pattern(option)}) count=1; case \${COMP_WORDS[i+1]} in ${names.join('|')}) count=0 ;; esac ;;`,
    ),
    ...(single.length === 0 ? [] : [`      ${single.map(pattern).join('|')}) count=1 ;;`]),
    '      *) count=0 ;;',
    '    esac',
    '    if ((i + count >= COMP_CWORD)); then',
    `      option=\${COMP_WORDS[i]} place=$((COMP_CWORD - i))`,
    '      break',
    '    fi',
    '    ((i += count + 1))',
    '  done',
    '  case $option in',
    "    '')",
    ...(commands.length === 0 ? [] : [`      if [[ $i == 1 && $cur != -* ]]; then ${words(commands)}; fi`]),
    ...(takesFiles ? ['      if [[ $cur != -* ]]; then compopt -o default 2>/dev/null; fi'] : []),
    `      if ${takesFiles ? '[[ $cur == -* ]]' : `((\${#COMPREPLY[@]} == 0))`}; then ${words(names)}; fi ;;`,
    ...several.flatMap(severalCase),
    ...optional.map((option) => `    ${pattern(option)}) [[ $cur == -* ]] && ${words(names)} ;;`),
    ...single
      .filter(({ offer }) => offer !== 'nothing')
      .map((option) => `    ${pattern(option)}) ${offered(option.offer)} ;;`),
    '  esac',
    '}',
    `complete -F ${call} ${name}`,
  ];
}

const pattern = ({ names }: Choice): string => names.join('|');

/** A command that offers those of some words that begin with what is typed. */
const words = (list: readonly string[]): string => `COMPREPLY=($(compgen -W ${quoted(list.join(' '))} -- "$cur"))`;

function offered(offer: Offer): string {
  // Readline itself quotes names of files as they need it, where nothing else is offered.
  if (offer === 'file') return 'compopt -o default 2>/dev/null';
  if (offer === 'directory') return 'compopt -o dirnames 2>/dev/null';
  if (offer === 'host') return 'COMPREPLY=($(compgen -A hostname -- "$cur"))';
  return offer === 'nothing' ? ':' : words(offer);
}

/** How many words belong to an option of several: one more than usual where the second word asks for it. */
function countCase(option: Choice): string {
  const { count = 1, longer = [] } = option.several ?? {};
  const second = `case \${COMP_WORDS[i+2]} in ${longer.join('|')}) count=${count + 1} ;; esac`;
  return `      ${pattern(option)}) count=${count}; ${second} ;;`;
}

/** The option of several words: the second depends on the first. */
function severalCase(option: Choice): string[] {
  return [
    `    ${pattern(option)})`,
    `      case $place,\${COMP_WORDS[COMP_CWORD-1]} in`,
    `        1,*) ${offered(option.offer)} ;;`,
    ...Object.entries(option.several?.seconds ?? {}).map(
      ([first, seconds]) => `        2,${first}) ${words(seconds)} ;;`,
    ),
    '      esac ;;',
  ];
}
