import { JOB_STATUSES } from '../base/job-statuses.js'
import { Command, InvalidArgumentError, Option } from 'commander'
import { EXIT, type ExitCode } from './cli-error.js'
import type { CommandContext } from './command-context.js'
import { fillOptions } from './option-sources.js'

const EXAMPLES = `Examples:
  gyre dev                                             a node to try things on
  gyre submit --service test.echo --input '{"a":1}' --wait
  gyre jobs --status failed
  gyre dht put greeting '"hello"' && gyre dht get greeting
`

const AFTERWORD = `
Every flag can also be given as GYRE_FLAG in the environment or in gyre.config.{ts,js,json}.
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 the job did not succeed, 4 no node reachable.`

/**
 * The whole command line in one place: names, arguments and flags. What a command does stands in
 * commands/ and is loaded only when it runs, so that `gyre --help` stays quick.
 *
 * @param ended  told the exit code of the command that ran
 */
export function makeProgram(ended: (code: ExitCode) => void): Command {
  const program = new Command('gyre')
    .description('Runs and inspects a ring of Gyre nodes.')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', AFTERWORD)
  addCommonOptions(program)
  // Sub-commands inherit these, so they stand before those are made.
  program.exitOverride()
  program.showHelpAfterError('See `gyre --help` and `gyre COMMAND --help`.')
  const add: AddCommand = (name, description, action, parent = program) =>
    addCommonOptions(parent.command(name).description(description)).action(
      async (...given: readonly unknown[]) => {
        const command = given.at(-1)
        if (command instanceof Command) ended(await runAction(command, action))
      },
    )
  addNodeCommands(add)
  addJobCommands(add)
  addRecordCommands(add, program)
  addRingCommands(add)
  return program
}

/** What a command does once its options are complete; without an exit code it is 0. */
type Action = (context: CommandContext, command: Command) => Promise<ExitCode | void>

type AddCommand = (name: string, description: string, action: Action, parent?: Command) => Command

async function runAction(command: Command, action: Action): Promise<ExitCode> {
  // What is left to say to a node of `gyre dev`, dev has said: its own sources are not asked twice.
  if (command.opts()['underDev'] !== true) {
    await fillOptions(command, process.env, process.cwd())
  }
  const { makeContext } = await import('./command-context.js')
  const context = makeContext(command.optsWithGlobals())
  try {
    return (await action(context, command)) ?? EXIT.ok
  } finally {
    await context.client.close()
  }
}

function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document, nothing else, on stdout')
    .option('--url <url>', 'address of a node (default: http://127.0.0.1:7070)')
    .option('--token <token>', 'API token')
}

function addNodeCommands(add: AddCommand): void {
  const dev = add(
    'dev',
    'run a ring for trying things, on this machine',
    async (context, command) => (await import('./commands/dev.js')).dev(context, command.opts()),
  )
  addPluginOptions(dev)
    .option('--nodes <n>', 'how many nodes (this version: 1)')
    .option('--data <dir>', 'keep the data here instead of in a temporary folder')
    .option('--api <port>', 'API port (default: 7070, or the next free one)')

  const start = add('start', 'run one node in the foreground', async (context, command) =>
    (await import('./commands/start.js')).start(context, command.opts()),
  )
  addPluginOptions(start)
    .option('--data <dir>', 'data folder of the node')
    .option('--init', 'make a new ring in an empty data folder')
    .option('--join <host:port>', 'join a ring (not available in this version)')
    .option('--name <name>', 'name of the node, for people')
    .option('--zone <zone>', 'what fails together with it: a rack, a building')
    .option('--label <k=v...>', 'labels of the node, which services may ask for')
    .option('--api <host:port>', 'where the API listens (default: 127.0.0.1:7070)')
    .option('--arcs <p>', 'arcs of a new ring, a power of two')
    .option('--insecure', 'listen on other than loopback addresses without tokens')
    .option('--no-built-ins', 'leave out the services and jobs that come with Gyre')
    .addOption(new Option('--under-dev').hideHelp())
    .addOption(new Option('--temporary').hideHelp())

  add('verify <dir>', 'check the files of a node that does not run', async (context, command) =>
    (await import('./commands/verify.js')).verify(context, command.processedArgs[0]),
  )
  add('completion <shell>', 'print completions for bash, zsh or fish', async (context, command) =>
    (await import('./commands/completion.js')).completion(
      context,
      command.processedArgs[0],
      command,
    ),
  )
  add('version', 'print the version', async (context) =>
    (await import('./commands/version.js')).version(context),
  )
}

function addPluginOptions(command: Command): Command {
  return command
    .option('--workers <dir...>', 'folders of service plugins')
    .option('--jobs <dir...>', 'folders of job plugins')
    .option('--worker-config <file>', 'JSON that handlers find as ctx.config')
    .option('--worker-secrets <file>', 'JSON of texts that handlers find as ctx.secrets')
    .option('--capacity <list>', 'what the node has: cpu=4,memoryMb=8192,gpu=1 (default: measured)')
    .option('--log-level <level>', LOG_LEVELS.join(', '), parseLogLevel)
}

function addJobCommands(add: AddCommand): void {
  add('submit [job]', 'submit a job', async (context, command) =>
    (await import('./commands/submit.js')).submit(
      context,
      command.processedArgs[0],
      command.opts(),
    ),
  )
    .option('--service <name>', 'submit one step that runs this service')
    .option('--file <file>', 'submit the JSON submission in this file (-: standard input)')
    .option('--input <json>', 'input as JSON, as @FILE, or - for standard input')
    .option('--key <key>', 'idempotency key: the same key gives the same job')
    .option('--priority <n>', '0 to 9, 9 goes first (default: 5)', parsePriority)
    .option('--label <k=v...>', 'labels to find it by')
    .option('--delay <duration>', 'start nothing before this long from now: 30s, 5m, 2h')
    .option('--wait', 'follow the job to its end and print its output')
  add('jobs', 'list jobs, newest first', async (context, command) =>
    (await import('./commands/jobs.js')).jobs(context, command.opts()),
  )
    .option('--status <status>', 'only jobs in this status', parseStatus)
    .option('--job <name>', 'only jobs of this definition')
    .option('--label <k=v...>', 'only jobs with all of these labels')
    .option('--limit <n>', 'how many at most (default: 50)', parseCount)
  add('job <id>', 'show a job and its steps', async (context, command) =>
    (await import('./commands/jobs.js')).job(context, command.processedArgs[0]),
  )
  add('history <id>', "show a job's timeline", async (context, command) =>
    (await import('./commands/jobs.js')).history(context, command.processedArgs[0], command.opts()),
  ).option('--follow', 'go on with what happens, until the job has ended')
  add('explain <id>', 'say why a job is where it is', async (context, command) =>
    (await import('./commands/explain.js')).explain(context, command.processedArgs[0]),
  )
  add('logs <id>', 'show what the handlers of a job logged', async (context, command) =>
    (await import('./commands/logs.js')).logs(context, command.processedArgs[0], command.opts()),
  )
    .option('--step <name>', 'only of this step')
    .option('--follow', 'go on with what they log, until the job has ended')
  addJobActions(add)
}

function addJobActions(add: AddCommand): void {
  add('cancel <id>', 'cancel a job', async (context, command) =>
    (await import('./commands/job-actions.js')).cancel(
      context,
      command.processedArgs[0],
      command.opts(),
    ),
  ).option('--compensate', 'undo what it has done')
  add('retry <id>', 'run a failed job or compensation again', async (context, command) =>
    (await import('./commands/job-actions.js')).retry(context, command.processedArgs[0]),
  )
  add('resubmit <id>', 'submit a job like this one again', async (context, command) =>
    (await import('./commands/job-actions.js')).resubmit(
      context,
      command.processedArgs[0],
      command.opts(),
    ),
  ).option('--from <step>', 'begin with this step and take over what those before it gave')
  add('delete <id>', 'remove a finished job and its data now', async (context, command) =>
    (await import('./commands/job-actions.js')).remove(context, command.processedArgs[0]),
  )
  add('skip <id> <step>', "give up a step's failed compensation", async (context, command) => {
    const [id, step] = command.processedArgs
    const { skip } = await import('./commands/job-actions.js')
    return skip(context, id, step, command.opts())
  }).option('--reason <text>', 'why, for the history')
  add('fail <id>', 'end a job whose compensation failed', async (context, command) =>
    (await import('./commands/job-actions.js')).fail(
      context,
      command.processedArgs[0],
      command.opts(),
    ),
  ).option('--reason <text>', 'why, for the history')
}

function addRecordCommands(add: AddCommand, program: Command): void {
  const dht = program.command('dht').description('read and write the hash table')
  add(
    'get <key>',
    "print a record's value",
    async (context, command) =>
      (await import('./commands/dht.js')).getRecord(context, command.processedArgs[0]),
    dht,
  )
  const put = add(
    'put <key> <value>',
    'write a record; VALUE is JSON, @FILE or -',
    async (context, command) => {
      const [key, value] = command.processedArgs
      const { putRecord } = await import('./commands/dht.js')
      return putRecord(context, key, value, command.opts())
    },
    dht,
  )
  put
    .option('--if-version <n>', 'only if the record has this version', parseCount)
    .option('--if-absent', 'only if there is no record')
  const remove = add(
    'delete <key>',
    'remove a record',
    async (context, command) => {
      const { deleteRecord } = await import('./commands/dht.js')
      return deleteRecord(context, command.processedArgs[0], command.opts())
    },
    dht,
  )
  remove.option('--if-version <n>', 'only if the record has this version', parseCount)
  const list = add(
    'list [prefix]',
    'list keys in byte order',
    async (context, command) => {
      const { listRecords } = await import('./commands/dht.js')
      return listRecords(context, command.processedArgs[0], command.opts())
    },
    dht,
  )
  list.option('--limit <n>', 'how many at most (default: 1000)', parseCount)
}

function addRingCommands(add: AddCommand): void {
  add('ring', 'show the ring and its nodes', async (context, command) =>
    (await import('./commands/ring.js')).ring(context, command.opts()),
  ).option('--watch', 'look again every two seconds, until Ctrl-C')
  add('services', 'list the services that the ring offers', async (context) =>
    (await import('./commands/ring.js')).services(context),
  )
  add('peek <id>', 'show what an ID is and where it lives', async (context, command) =>
    (await import('./commands/ring.js')).peek(context, command.processedArgs[0]),
  )
  add('owner <key>', 'show which arc and node a key belongs to', async (context, command) =>
    (await import('./commands/ring.js')).owner(context, command.processedArgs[0]),
  )
}

/** Beside the levels, `silent` says nothing at all. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

function parseLogLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text
  throw new InvalidArgumentError(`Expected one of ${LOG_LEVELS.join(', ')}.`)
}

function parseStatus(text: string): string {
  if (JOB_STATUSES.some((status) => status === text)) return text
  throw new InvalidArgumentError(`Expected one of ${JOB_STATUSES.join(', ')}.`)
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number > 0.')
  return Number(text)
}

function parsePriority(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0 to 9.')
  return Number(text)
}
