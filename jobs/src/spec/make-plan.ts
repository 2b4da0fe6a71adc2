import { planConditions } from './conditions.js'
import type { JobDefinition } from './define-job.js'
import { planForEach } from './for-each.js'
import { refusal, type SpecIssue, type SpecRefusal } from './issues.js'
import type { Json } from './json.js'
import { ATTEMPT_TIMEOUT_MS_DEFAULT } from './limits.js'
import { planMemoize } from './memoize.js'
import type { ParsedSubmission } from './parse-submission.js'
import { parseJobDefinition } from './parse-submission.js'
import type { CompensatePlan, JobPlan, StepPlan } from './plan.js'
import { formatPointer } from './pointer.js'
import { planRetry, planTimeout } from './retry-policy.js'
import { planGraph, type StepGraph } from './step-graph.js'
import type {
  CompensateSpec,
  RetrySpec,
  ServiceSubmission,
  StepSpec,
  StepsSpec,
} from './submission.js'

/**
 * From what was submitted to what is stored: the job's definition expanded, every default resolved,
 * every need written out, steps in topological order. Checks all that needs no JSON Schema of a
 * service.
 */

/** A service as far as a plan depends on it. */
export interface KnownService {
  readonly timeoutMs?: number
  /** The service's own policy, used member by member where a step says nothing. */
  readonly retry?: RetrySpec
  /** True: it has a hook of its own that undoes its work. */
  readonly compensates: boolean
  readonly version?: string
  /** For how long its results are shared; absent: they are not, unless a step says so. */
  readonly memoizeMs?: number
}

/** What is known when a job is submitted. */
export interface Catalog {
  service(name: string): KnownService | undefined
  job(name: string): JobDefinition | undefined
}

export interface Planned {
  readonly ok: true
  readonly plan: JobPlan
  /** The job's input: `{}` where none was given. */
  readonly input: Json
}

/** Name of the step of a `{service}` job. */
const MAIN_STEP = 'main'

export function makePlan(parsed: ParsedSubmission, catalog: Catalog): Planned | SpecRefusal {
  const source = expand(parsed, catalog)
  if ('code' in source) return source
  const issues: SpecIssue[] = []
  const unknown: SpecIssue[] = []
  const steps = planSteps(source, { catalog, issues, unknown })
  if (issues.length > 0) return refused('invalid_job', issues)
  if (unknown.length > 0) return refused('unknown_service', unknown)
  const plan = { job: source.job, single: source.single, steps }
  return {
    ok: true,
    plan: source.output === undefined ? plan : { ...plan, output: source.output },
    input: parsed.submission.input === undefined ? {} : parsed.submission.input,
  }
}

/** What a plugin's job definition has wrong, whatever services will be known; empty: nothing. */
export function checkJobDefinition(value: unknown): readonly SpecIssue[] {
  const parsed = parseJobDefinition(value)
  if (!parsed.ok) return parsed.errors
  const { steps, output } = parsed.definition
  const issues: SpecIssue[] = []
  const anyService: Catalog = { service: () => ({ compensates: false }), job: () => undefined }
  planSteps(
    { job: null, single: false, steps, output },
    { catalog: anyService, issues, unknown: [] },
  )
  return issues
}

interface Source {
  readonly job: string | null
  /** True: the submission's own members are those of its only step. */
  readonly single: boolean
  readonly steps: StepsSpec
  readonly output: Json | undefined
}

interface Checks {
  readonly catalog: Catalog
  readonly issues: SpecIssue[]
  /** Services that nobody ever offered. */
  readonly unknown: SpecIssue[]
}

function expand(parsed: ParsedSubmission, catalog: Catalog): Source | SpecRefusal {
  switch (parsed.shape) {
    case 'service':
      return {
        job: null,
        single: true,
        steps: { [MAIN_STEP]: mainStep(parsed.submission) },
        output: undefined,
      }
    case 'steps': {
      const { steps, output } = parsed.submission
      return { job: null, single: false, steps, output }
    }
    case 'job': {
      const name = parsed.submission.job
      const definition = catalog.job(name)
      if (definition === undefined) return unknownJob(name)
      return { job: name, single: false, steps: definition.steps, output: definition.output }
    }
  }
}

/** The submission's input is user data, not a template: it is reached by one pointer. */
function mainStep({ service, retry, compensate }: ServiceSubmission): StepSpec {
  return {
    service,
    input: { $from: '/input' },
    ...(retry === undefined ? {} : { retry }),
    ...(compensate === undefined ? {} : { compensate }),
  }
}

function planSteps(source: Source, checks: Checks): StepPlan[] {
  const { order, needs } = graphOf(source, checks.issues)
  return order.flatMap((name) => {
    const step = source.steps[name]
    if (step === undefined) return []
    const path = source.single ? '' : `/steps${formatPointer([name])}`
    return [{ name, needs: needs.get(name) ?? [], ...planStep(path, step, checks) }]
  })
}

/** Most jobs are one step that nothing undoes: it reads the input and needs nobody. */
function graphOf(source: Source, issues: SpecIssue[]): StepGraph {
  const isAlone = source.single && source.steps[MAIN_STEP]?.compensate === undefined
  return isAlone ? ALONE : planGraph(source.steps, source.output, issues)
}

const ALONE: StepGraph = { order: [MAIN_STEP], needs: new Map([[MAIN_STEP, []]]) }

function planStep(path: string, step: StepSpec, checks: Checks): Omit<StepPlan, 'name' | 'needs'> {
  const service = lookUp(`${path}/service`, step.service, checks)
  return {
    service: step.service,
    input: step.input === undefined ? {} : step.input,
    ...policies(path, step, service, checks.issues),
    forEach: planForEach(path, step, checks.issues),
    compensate: step.onFailure === true ? null : planCompensate(path, step, service, checks),
    ...planMemoize(path, step, service, checks.issues),
    ...planConditions(path, step, checks.issues),
  }
}

function planCompensate(
  path: string,
  step: StepSpec,
  service: KnownService,
  checks: Checks,
): CompensatePlan | null {
  const spec = step.compensate
  if (spec === undefined) {
    if (!service.compensates) return null
    return { service: step.service, hook: true, ...policies(path, {}, service, checks.issues) }
  }
  const hookPath = `${path}/compensate`
  const undoing = lookUp(`${hookPath}/service`, spec.service, checks)
  const plan = {
    service: spec.service,
    hook: false,
    ...policies(hookPath, spec, undoing, checks.issues),
  }
  return spec.input === undefined ? plan : { ...plan, input: spec.input }
}

function policies(
  path: string,
  spec: Pick<StepSpec | CompensateSpec, 'timeout' | 'retry'>,
  service: KnownService,
  issues: SpecIssue[],
): Pick<StepPlan, 'timeoutMs' | 'retry'> {
  const timeoutMs = service.timeoutMs ?? ATTEMPT_TIMEOUT_MS_DEFAULT
  return {
    timeoutMs: planTimeout(`${path}/timeout`, spec.timeout, timeoutMs, issues),
    retry: planRetry(`${path}/retry`, { step: spec.retry, service: service.retry }, issues),
  }
}

function lookUp(path: string, name: string, checks: Checks): KnownService {
  const service = checks.catalog.service(name)
  if (service !== undefined) return service
  checks.unknown.push({
    path,
    message: `no node of the ring ever offered the service ${name}; GET /v1/services lists those that were`,
  })
  return { compensates: false }
}

function unknownJob(name: string): SpecRefusal {
  const message = `no plugin of this node defines the job ${name}; GET /v1/job-definitions lists them`
  return refusal('unknown_job', message, [{ path: '/job', message }])
}

function refused(code: SpecRefusal['code'], issues: readonly SpecIssue[]): SpecRefusal {
  const [first] = issues
  return refusal(code, `${first?.path ?? ''}: ${first?.message ?? ''}`, issues)
}
