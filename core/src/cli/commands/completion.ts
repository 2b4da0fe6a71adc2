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
  const script = write(placesOf(command.parent ?? command, []))
  await output.result({ shell, script }, () => output.line(script))
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const commands = command.commands.map((each) => each.name())
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? '')
  const here = { name: path.join(' '), words: [...commands, ...flags, '--help'] }
  return [here, ...command.commands.flatMap((each) => placesOf(each, [...path, each.name()]))]
}

const SHELLS: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash: (places) => `${bashFunction(places)}
complete -o default -F _gyre gyre`,
  zsh: (places) => `#compdef gyre
autoload -U +X bashcompinit && bashcompinit
${bashFunction(places)}
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

/** Looks at the words before the cursor that are no flags: at most two of them name a command. */
function bashFunction(places: readonly Place[]): string {
  const cases = places.map(({ name, words }) => `    '${name}') words='${words.join(' ')}' ;;`)
  return `_gyre() {
  local word path= words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case $path in
${cases.filter((line) => !line.includes("''")).join('\n')}
    '') words='${places[0]?.words.join(' ') ?? ''}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}`
}
