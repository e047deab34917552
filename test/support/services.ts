import { runningStack } from '../../deploy/local/background-stack.ts';
import type { StackUrls } from '../../deploy/local/stack-urls.ts';

/**
 * Where the real services are. The environment decides (`TEST_POSTGRES_17_URL`, `TEST_POSTGRES_URL`, `TEST_MYSQL_URL`,
 * `TEST_MARIADB_URL`, `TEST_KAFKA_BROKERS`, `TEST_REGISTRY_URL`: `npm test` sets them); otherwise a stack that `npm run stack -- up` left running in this checkout.
 * A test that needs a service and has none fails; it is never skipped.
 */

/** The Postgres of `version`, or of `TEST_POSTGRES_VERSION`, or whichever there is. A superuser, trust, `wal_level=logical`. */
export function postgresUrl(version = postgresVersion()): string {
  if (version !== undefined) {
    const exact = process.env[`TEST_POSTGRES_${version}_URL`] ?? background()?.postgres[version];
    if (exact !== undefined) return exact;
  }
  if (process.env.TEST_POSTGRES_URL !== undefined) return process.env.TEST_POSTGRES_URL;
  const any = version === undefined ? Object.values(background()?.postgres ?? {})[0] : undefined;
  return any ?? missing(version === undefined ? 'Postgres' : `Postgres ${version}`, 'TEST_POSTGRES_URL');
}

/** The major version that the test matrix asks for; undefined when any will do. */
export function postgresVersion(): number | undefined {
  const version = process.env.TEST_POSTGRES_VERSION;
  return version === undefined || version === '' ? undefined : Number(version);
}

/** `mysql://user:password@host:port` of an account that may do everything. */
export function mysqlUrl(server: 'mysql' | 'mariadb'): string {
  const variable = server === 'mysql' ? 'TEST_MYSQL_URL' : 'TEST_MARIADB_URL';
  const url = process.env[variable] ?? background()?.[server];
  return url ?? missing(server === 'mysql' ? 'MySQL' : 'MariaDB', variable);
}

/** Bootstrap brokers, `host:port` each. Topics are not created by themselves. */
export function kafkaBrokers(): string[] {
  const fromEnvironment = process.env.TEST_KAFKA_BROKERS?.split(',').filter((broker) => broker !== '');
  return fromEnvironment ?? background()?.kafka ?? missing('Kafka', 'TEST_KAFKA_BROKERS');
}

/** Base URL of the Confluent API, without a slash at its end. */
export function registryUrl(): string {
  const url = process.env.TEST_REGISTRY_URL ?? background()?.registry;
  return (url ?? missing('schema registry', 'TEST_REGISTRY_URL')).replace(/\/+$/, '');
}

let found: StackUrls | null | undefined;
function background(): StackUrls | null {
  found ??= runningStack();
  return found;
}

function missing(service: string, variable: string): never {
  throw new Error(
    `this test needs a ${service}: run it with \`npm test -- <file>\`, or start one with \`npm run stack -- up\`, or set ${variable}`,
  );
}
