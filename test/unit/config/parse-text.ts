import { parsePostgresConfig } from '../../../connectors/postgres/parse-config.ts';
import { parseSettings } from '../../../src/config/load.ts';
import { InvalidConfiguration, type LocatedProblem } from '../../../src/config/problem.ts';
import type { ConnectorCatalogue } from '../../../src/config/read-source.ts';
import type { Settings } from '../../../src/core/settings.ts';

/** The Postgres connector's own parser without the rest of the connector. */
export const CONNECTORS: ConnectorCatalogue = { postgres: async () => ({ parseConfig: parsePostgresConfig }) };

export function parseText(
  text: string,
  env: Record<string, string> = {},
  directory = import.meta.dirname,
): Promise<Settings> {
  return parseSettings(text, { file: 'tailrace.yaml', directory, env }, CONNECTORS);
}

/** What is wrong with `text`; empty when nothing is. */
export async function problemsOf(text: string, env: Record<string, string> = {}): Promise<readonly LocatedProblem[]> {
  try {
    await parseText(text, env);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error.problems;
    throw error;
  }
}

export const KAFKA = 'kafka: { brokers: 127.0.0.1:9092 }\n';
export const REGISTRY = 'schema_registry: { url: http://127.0.0.1:8081 }\n';
export const SOURCE = `sources:
  - name: shop
    type: postgres
    url: postgres://cdc@127.0.0.1:5432/shop
    snapshot: { mode: no_data }
`;
export const VALID = KAFKA + REGISTRY + SOURCE;

/** A valid configuration whose only source has these lines too. */
export function withSource(...lines: string[]): string {
  return VALID + lines.map((line) => `    ${line}\n`).join('');
}
