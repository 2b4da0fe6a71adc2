import { type JobPlan, type Json, pointersIn, resolveTemplate, type StepPlan } from '@gyre/jobs'
import type { KnownWork } from './known-work.js'
import { Problem, type ProblemIssue } from './problem.js'

/** Compiles a stranger's JSON Schema safely; the composition root hands in the adapter that can. */
export type CompileSchema = (schema: unknown) => CompiledSchema
export type CompiledSchema =
  | { readonly ok: true; readonly check: (value: unknown) => ProblemIssue | null }
  | { readonly ok: false; readonly message: string }

/**
 * Checks inputs against schemas as early as they are known. The executing node checks again, so an
 * input that waits for another step's output, and a schema that does not compile here, is left to it.
 */
export class InputSchemas {
  readonly #compile: CompileSchema
  readonly #known: KnownWork
  /** Keyed by the schema's object, which lives as long as the offer that it came with. */
  readonly #compiled = new WeakMap<object, CompiledSchema>()

  constructor(compile: CompileSchema, known: KnownWork) {
    this.#compile = compile
    this.#known = known
  }

  /** @throws Problem `schema_mismatch` */
  check(plan: JobPlan, input: Json): void {
    const issues: ProblemIssue[] = []
    const definition = plan.job === null ? undefined : this.#known.job(plan.job)
    this.#checkValue('/input', definition?.input, input, issues)
    for (const step of plan.steps) this.#checkStep(step, plan.single, input, issues)
    const [first] = issues
    if (first === undefined) return
    const isOfJob = definition !== undefined && first.path.startsWith('/input')
    const where = isOfJob ? '/v1/job-definitions' : '/v1/services'
    const detail = `${first.path} ${first.message}; GET ${where} shows the schemas`
    throw new Problem('schema_mismatch', detail, { errors: issues })
  }

  #checkStep(step: StepPlan, single: boolean, input: Json, issues: ProblemIssue[]): void {
    const schema = this.#known.offer(step.service)?.input
    if (schema === undefined) return
    const value = knownInput(step, input)
    if (value === undefined) return
    this.#checkValue(single ? '/input' : `/steps/${step.name}/input`, schema, value, issues)
  }

  #checkValue(path: string, schema: Json | undefined, value: Json, issues: ProblemIssue[]): void {
    if (typeof schema !== 'object' || schema === null || issues.length > 0) return
    const compiled = this.#compiledOf(schema)
    const fault = compiled.ok ? compiled.check(value) : null
    if (fault !== null) issues.push({ path: path + fault.path, message: fault.message })
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
