import type { Command } from 'commander'
import { usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'

/** A command by its full name, with the words that may follow it. */
interface Place {
  readonly name: string
  readonly words: readonly string[]
}

/** Prints what makes a shell complete commands and flags. Made of the commands, so never behind them. */
export async function completion(
  { output }: CommandContext,
  shell: string,
  command: Command,
): Promise<void> {
  const write = SHELLS[shell]
  if (write === undefined || !Object.hasOwn(SHELLS, shell)) {
    throw usageError(`expected ${Object.keys(SHELLS).join(', ')}, got ${shell}.`)
  }
  const root = command.parent ?? command
  const script = write(placesOf(root, []), flagsWithValue(root))
  await output.result({ shell, script }, () => output.line(script))
}

/** Flags whose next word is theirs, and never a command. */
function flagsWithValue(command: Command): string[] {
  const own = command.options.filter((option) => !option.isBoolean() && !option.negate)
  const flags = own.map(({ long }) => long ?? '')
  return [...new Set([...flags, ...command.commands.flatMap(flagsWithValue)])]
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const commands = command.commands.map((each) => each.name())
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? '')
  const values = command.name() === 'completion' ? Object.keys(SHELLS) : []
  const here = { name: path.join(' '), words: [...commands, ...values, ...flags, '--help'] }
  return [here, ...command.commands.flatMap((each) => placesOf(each, [...path, each.name()]))]
}

/** @param flags  those whose next word is theirs */
type Shell = (places: readonly Place[], flags: readonly string[]) => string

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: (places, flags) => `${bashFunction(places, flags)}
complete -o default -F _gyre gyre`,
  zsh: (places, flags) => `#compdef gyre
autoload -U +X bashcompinit && bashcompinit
${bashFunction(places, flags)}
complete -o default -F _gyre gyre`,
  fish: (places) =>
    places
      .map(({ name, words }) => {
        const [first, second] = name.split(' ')
        const seen = (word: string): string => `__fish_seen_subcommand_from ${word}`
        const where =
          name === ''
            ? '__fish_use_subcommand'
            : [first, second].flatMap((word) => (word ? [seen(word)] : [])).join('; and ')
        return `complete -c gyre -n '${where}' -a '${words.join(' ')}'`
      })
      .join('\n'),
}

/** Looks at the words before the cursor: the longest command that they name, whatever stands between. */
function bashFunction(places: readonly Place[], flags: readonly string[]): string {
  const names = places.flatMap(({ name }) => (name === '' ? [] : [`'${name}'`]))
  const cases = places.map(({ name, words }) => `    '${name}') words='${words.join(' ')}' ;;`)
  return `_gyre() {
  local word place= words= value=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $value ]]; then value=; continue; fi
    case $word in
      ${flags.join('|')}) value=1 ;;
      -*) ;;
      *) case "\${place:+$place }$word" in
          ${names.join('|')}) place="\${place:+$place }$word" ;;
        esac ;;
    esac
  done
  case $place in
${cases.filter((line) => !line.includes("''")).join('\n')}
    '') words='${places[0]?.words.join(' ') ?? ''}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}`
}
