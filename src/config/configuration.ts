import { z } from 'zod';
import { checkpointSchema } from './checkpoint.ts';
import { anyDatabaseShape } from './database-settings.ts';
import { choice, list, refuse } from './fields.ts';
import { httpSchema } from './http.ts';
import { kafkaSchema } from './kafka.ts';
import { logSchema } from './log.ts';
import { schemaRegistrySchema } from './schema-registry.ts';
import { sourceShape } from './source.ts';

/** The sections of `tailrace.yaml` but `sources`, each read on its own so that every problem is found at once. */
export const sections = {
  kafka: kafkaSchema.meta({ description: 'The cluster that changes are published to.' }),
  schema_registry: schemaRegistrySchema.meta({ description: 'Where the schemas of keys and values are kept.' }),
  checkpoint: checkpointSchema.prefault({}).meta({ description: 'Durable positions, from which a restart goes on.' }),
  delivery: choice(['at_least_once', 'exactly_once'])
    .prefault('at_least_once')
    .superRefine((delivery, ctx) => {
      if (delivery === 'exactly_once') refuse(ctx, 'exactly_once is not built yet', 'Set delivery: at_least_once.');
    })
    .meta({ description: 'What consumers may rely on. Only `at_least_once` is built yet.' }),
  http: httpSchema.prefault({}).meta({ description: 'Health, metrics and status over HTTP.' }),
  log: logSchema.prefault({}).meta({ description: 'Messages on standard error, one JSON object a line.' }),
};

/** The whole file as editors and the reference page see it; `load.ts` reads the sections one by one. */
export const configurationSchema = z.strictObject({
  ...sections,
  sources: list(
    z.strictObject({
      ...sourceShape,
      ...anyDatabaseShape,
      debezium: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
        .optional()
        .meta({
          description: 'Settings by the names of Debezium’s connector properties, such as `table.include.list`.',
        }),
    }),
    { min: 1 },
  ).meta({ description: 'The databases to tail.' }),
});
