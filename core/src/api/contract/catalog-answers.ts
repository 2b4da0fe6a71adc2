import { JobDefinitionSchema, JsonSchema } from '@gyre/jobs'
import { Type } from '@gyre/jobs/typebox'
import { AnyObject, Id, Nullable, ref } from './parts.js'

/** What can be run. */

const Service = Type.Object(
  {
    name: Type.String(),
    versions: Type.Array(Type.String()),
    description: Type.Optional(Type.String()),
    input: Type.Optional({ ...JsonSchema, description: 'JSON Schema; absent: anything goes.' }),
    output: Type.Optional({ ...JsonSchema, description: 'JSON Schema; absent: anything goes.' }),
    timeoutMs: Type.Number(),
    retry: Type.Optional(AnyObject),
    concurrency: Type.Integer(),
    compensates: Type.Boolean({ description: 'True: it has a compensation of its own.' }),
    memoizeMs: Type.Optional(
      Type.Number({ description: 'For how long its results are shared; absent: not.' }),
    ),
    requires: Type.Optional(
      Type.Object(
        {
          cpu: Type.Optional(Type.Number()),
          memoryMb: Type.Optional(Type.Number()),
          units: Type.Optional(Type.Record(Type.String(), Type.Number())),
        },
        { description: 'What one attempt takes of its node.' },
      ),
    ),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Only nodes with all of these labels run it.',
      }),
    ),
    isolation: Type.Optional(
      Type.Literal('thread', { description: 'Each attempt runs in a thread of its own.' }),
    ),
    nodes: Type.Array(Id, { description: 'Those that offer it now.' }),
    running: Nullable(
      Type.Integer({ description: 'Attempts; null when the node does not say in time.' }),
    ),
    refused: Nullable(
      Type.Object({
        count: Type.Integer({ description: 'Ready tasks that are not taken now.' }),
        reasons: Type.Array(
          Type.Object({
            node: Id,
            reason: Type.String({ description: 'busy, cpu, memory, units or labels.' }),
            never: Type.Boolean({
              description: 'True: no end of another attempt will change that.',
            }),
            text: Type.String(),
          }),
        ),
      }),
    ),
  },
  { $id: 'Service' },
)

const JobDefinition = Type.Object(JobDefinitionSchema.properties, { $id: 'JobDefinition' })

const PluginFailure = Type.Object(
  { file: Type.String({ description: 'Its name, without its folder.' }), error: ref('JobError') },
  { $id: 'PluginFailure', description: 'A plugin, or a definition of it, that was left out.' },
)

export const CATALOG_ANSWERS = [Service, JobDefinition, PluginFailure]
