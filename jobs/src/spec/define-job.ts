import type { Json, JsonObject } from './json.js'
import type { StepsSpec } from './submission.js'

/** A declared job: what a plugin exports and `{job: NAME}` is expanded to. */
export interface JobDefinition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the input; absent: anything goes. */
  readonly input?: JsonObject
  readonly steps: StepsSpec
  /** Template of the job's output. Absent: the output of a single step, else null. */
  readonly output?: Json
}

/**
 * Declares a job. Gives its argument back, checked by the compiler; a plain object of the same shape
 * does as well, so a plugin needs no import. What types cannot say is checked when it is loaded
 * (`checkJobDefinition`).
 */
export function defineJob(definition: JobDefinition): JobDefinition {
  return definition
}
