import type { Applied } from '../outcome.js'

type Refusal = Extract<Applied, { readonly ok: false }>

export function jobNotFound(id: string): Refusal {
  return {
    ok: false,
    code: 'job_not_found',
    message: `there is no job ${id}; it may have been removed, or the ID may be mistyped`,
  }
}

export function staleAttempt(): Refusal {
  return {
    ok: false,
    code: 'attempt_fenced',
    message: 'the report is stale: the attempt has ended already; discard its result',
  }
}

export function stepNotFound(id: string, step: string): Refusal {
  return { ok: false, code: 'step_not_found', message: `job ${id} has no step named ${step}` }
}
