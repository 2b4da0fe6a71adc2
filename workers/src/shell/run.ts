import { tmpdir } from 'node:os'
import {
  defineService,
  giveUp,
  retryLater,
  ServiceError,
  type ServiceContext,
} from '../sdk/index.js'
import { INPUT_BYTES_MAX, OUTPUT_BYTES_MAX } from './limits.js'
import { type ProgramEnd, runProgram } from './process-group.js'

/** Runs one program. Off unless the node's owner allows it: whoever submits jobs would own the node. */
export const run = defineService({
  name: 'shell.run',
  version: '1.0.0',
  description: 'Runs a program; off unless the node allows it.',
  timeout: '60s',
  concurrency: 4,
  input: {
    type: 'object',
    required: ['argv'],
    properties: {
      argv: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 1000 },
      env: { type: 'object', additionalProperties: { type: 'string' } },
      stdin: { type: 'string' },
      /** `success` (default): an exit code other than 0 fails the attempt. */
      accept: { enum: ['success', 'any'] },
    },
    additionalProperties: false,
  },
  async run({ argv, env = {}, stdin = '', accept = 'success' }, ctx) {
    const { allow, cwd } = settingsOf(ctx)
    const [program = ''] = argv
    if (allow !== true && !allow.includes(program)) throw notAllowed(program)
    if (Buffer.byteLength(stdin) > INPUT_BYTES_MAX) {
      throw giveUp('stdin_too_large', `stdin is larger than ${INPUT_BYTES_MAX} bytes`)
    }
    const end = await runProgram({
      argv,
      cwd,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', ...env },
      stdin,
      outputBytesMax: OUTPUT_BYTES_MAX,
      signal: ctx.signal,
    }).catch((error: unknown) => {
      throw ctx.signal.aborted ? ctx.signal.reason : cannotStart(program, error)
    })
    const result = {
      exitCode: end.exitCode,
      signal: end.signal,
      stdout: end.stdout.text,
      stderr: end.stderr.text,
      cut: end.stdout.isCut || end.stderr.isCut,
    }
    if (accept === 'any' || end.exitCode === 0) return result
    throw failed(program, end)
  },
})

interface Settings {
  /** True: any program. */
  readonly allow: true | readonly unknown[]
  readonly cwd: string
}

function settingsOf({ config }: ServiceContext): Settings {
  const own = config['shell.run']
  const isObject = typeof own === 'object' && own !== null
  const allow = isObject && 'allow' in own ? own['allow'] : []
  const cwd = isObject && 'cwd' in own ? own['cwd'] : tmpdir()
  const isRight = allow === true || Array.isArray(allow)
  if (isRight && typeof cwd === 'string') return { allow, cwd }
  const shape = '{"allow": true or ["git", …], "cwd": "/folder"}'
  throw giveUp('config_invalid', `"shell.run" of --worker-config must be ${shape}`)
}

function notAllowed(program: string): ServiceError {
  return giveUp(
    'program_refused',
    `the node does not run ${program}; its owner can allow it in "shell.run": ` +
      '{"allow": ["NAME", …]} of --worker-config',
  )
}

function cannotStart(program: string, error: unknown): ServiceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE') {
    return retryLater('program_not_started', `${program} cannot be started now (${code})`)
  }
  return giveUp('program_not_started', `${program} cannot be started (${code}); is it installed?`)
}

function failed(program: string, { exitCode, signal, stderr }: ProgramEnd): ServiceError {
  const how = exitCode === null ? `was ended by ${signal}` : `ended with exit code ${exitCode}`
  const last = stderr.text.slice(-2_000)
  return new ServiceError('program_failed', `${program} ${how}`, {
    details: { exitCode, signal, stderr: last },
  })
}
