import { Compile } from './typebox.js'
import type { JobDefinition } from './define-job.js'
import { refusal, type SpecRefusal } from './issues.js'
import { type SchemaError, schemaIssues } from './schema-issues.js'
import {
  JobDefinitionSchema,
  type JobSubmission,
  JobSubmissionSchema,
  RetrySchema,
  type RetrySpec,
  type ServiceSubmission,
  ServiceSubmissionSchema,
  type StepsSubmission,
  StepsSubmissionSchema,
} from './submission.js'

/** The edge where unknown JSON becomes a typed submission or definition, or a list of issues. */

/** A submission with its shape named. */
export type ParsedSubmission =
  | { readonly ok: true; readonly shape: 'service'; readonly submission: ServiceSubmission }
  | { readonly ok: true; readonly shape: 'steps'; readonly submission: StepsSubmission }
  | { readonly ok: true; readonly shape: 'job'; readonly submission: JobSubmission }

export interface ParsedDefinition {
  readonly ok: true
  readonly definition: JobDefinition
}

const SHAPES = ['service', 'steps', 'job'] as const

const validators = {
  service: Compile(ServiceSubmissionSchema),
  steps: Compile(StepsSubmissionSchema),
  job: Compile(JobSubmissionSchema),
  definition: Compile(JobDefinitionSchema),
  retry: Compile(RetrySchema),
}

/**
 * The shape is chosen first, by the member that names it, so that the errors speak of the shape that
 * was meant and not of all three.
 */
export function parseSubmission(value: unknown): ParsedSubmission | SpecRefusal {
  if (!isObject(value)) return wrongShape('a submission is a JSON object')
  const shapes = SHAPES.filter((shape) => Object.hasOwn(value, shape))
  const [shape] = shapes
  if (shape === undefined || shapes.length > 1) {
    return wrongShape('give exactly one of "service", "steps" and "job"')
  }
  switch (shape) {
    case 'service':
      if (validators.service.Check(value)) return { ok: true, shape, submission: value }
      break
    case 'steps':
      if (validators.steps.Check(value)) return { ok: true, shape, submission: value }
      break
    case 'job':
      if (validators.job.Check(value)) return { ok: true, shape, submission: value }
      break
  }
  return invalid(validators[shape].Errors(value))
}

/** Shape only; `checkJobDefinition` also looks at the graph and the templates. */
export function parseJobDefinition(value: unknown): ParsedDefinition | SpecRefusal {
  if (validators.definition.Check(value)) return { ok: true, definition: value }
  return invalid(validators.definition.Errors(value))
}

/** @returns null when the value is no retry policy */
export function parseRetry(value: unknown): RetrySpec | null {
  return validators.retry.Check(value) ? value : null
}

function wrongShape(message: string): SpecRefusal {
  return refusal('invalid_request', message, [{ path: '', message }])
}

function invalid(errors: readonly SchemaError[]): SpecRefusal {
  const { issues, unknownMember } = schemaIssues(errors)
  const [first] = issues
  const message = first === undefined ? 'it is not valid' : `${first.path} ${first.message}`.trim()
  return refusal(unknownMember ? 'unknown_field' : 'invalid_request', message, issues)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
