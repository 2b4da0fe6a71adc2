import {
  type JobPlan,
  type Json,
  type JsonObject,
  pointersIn,
  resolveTemplate,
  type StepPlan,
} from '@gyre/jobs'
import type { CheckedIssue, CheckedRequest, CheckTurns, StepAllowance } from './check-turns.js'
import type { KnownWork } from './known-work.js'
import { Problem } from './problem.js'

/** Compiles a stranger's JSON Schema safely; the composition root hands in the adapter that can. */
export type CompileSchema = (schema: unknown) => CompiledSchema
export type CompiledSchema =
  | {
      readonly ok: true
      readonly check: (value: unknown, allowance: StepAllowance) => CheckedIssue | null
    }
  | { readonly ok: false; readonly message: string }

/**
 * Checks inputs against schemas as early as they are known. The executing node checks again, so an
 * input that waits for another step's output, and a schema that does not compile here, is left to it.
 */
export class InputSchemas {
  readonly #compile: CompileSchema
  readonly #known: KnownWork
  readonly #turns: CheckTurns
  /** Keyed by the schema's object, which lives as long as the offer that it came with. */
  readonly #compiled = new WeakMap<object, CompiledSchema>()

  constructor(compile: CompileSchema, known: KnownWork, turns: CheckTurns) {
    this.#compile = compile
    this.#known = known
    this.#turns = turns
  }

  /** @throws Problem `schema_mismatch`; `payload_too_large` where its request has taken too many steps */
  async check(plan: JobPlan, input: Json, request: CheckedRequest): Promise<void> {
    const ofJob = plan.job === null ? undefined : this.#known.job(plan.job)?.input
    const isFree = plan.steps.every(({ service }) => !isSchema(this.#known.offer(service)?.input))
    if (isFree && !isSchema(ofJob)) return
    const issue = await this.#turns.run(request, (allowance) =>
      this.#firstIssue(plan, { ofJob, input }, allowance),
    )
    if (issue === null) return
    const { path, message } = issue
    const isOfJob = plan.job !== null && path.startsWith('/input')
    const where = isOfJob ? '/v1/job-definitions' : '/v1/services'
    const detail = `${path} ${message}; GET ${where} shows the schemas`
    throw new Problem('schema_mismatch', detail, { errors: [{ path, message }] })
  }

  #firstIssue(
    plan: JobPlan,
    { ofJob, input }: { readonly ofJob: Json | undefined; readonly input: Json },
    allowance: StepAllowance,
  ): CheckedIssue | null {
    const issue = this.#issueIn(input, { path: '/input', schema: ofJob, allowance })
    if (issue !== null) return issue
    for (const step of plan.steps) {
      const schema = this.#known.offer(step.service)?.input
      const value = isSchema(schema) ? knownInput(step, input) : undefined
      if (value === undefined) continue
      const path = plan.single ? '/input' : `/steps/${step.name}/input`
      const found = this.#issueIn(value, { path, schema, allowance })
      if (found !== null) return found
    }
    return null
  }

  #issueIn(
    value: Json,
    {
      path,
      schema,
      allowance,
    }: {
      readonly path: string
      readonly schema: Json | undefined
      readonly allowance: StepAllowance
    },
  ): CheckedIssue | null {
    if (!isSchema(schema)) return null
    const compiled = this.#compiledOf(schema)
    const fault = compiled.ok ? compiled.check(value, allowance) : null
    return fault === null ? null : { ...fault, path: path + fault.path }
  }

  #compiledOf(schema: object): CompiledSchema {
    const found = this.#compiled.get(schema)
    if (found !== undefined) return found
    const compiled = this.#compile(schema)
    this.#compiled.set(schema, compiled)
    return compiled
  }
}

/** @returns undefined when it is known only once the step starts */
function knownInput(step: StepPlan, input: Json): Json | undefined {
  const fromInput = (pointer: string) => pointer === '/input' || pointer.startsWith('/input/')
  if (!pointersIn(step.input).every(fromInput)) return undefined
  const resolved = resolveTemplate(step.input, { input, steps: {}, job: { id: '' } })
  return resolved.ok ? resolved.value : undefined
}

function isSchema(schema: Json | undefined): schema is JsonObject {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema)
}
