/** Where the services of a stack are; what was not asked for is absent. */
export interface StackUrls {
  /** Superuser URL by major version. */
  readonly postgres: Readonly<Record<number, string>>;
  /** `mysql://user:password@host:port` of an account that may do everything. */
  readonly mysql?: string;
  /** The same of a MariaDB. */
  readonly mariadb?: string;
  /** Bootstrap brokers, `host:port`. */
  readonly kafka?: string[];
  /** Base URL of the Confluent API. */
  readonly registry?: string;
}

/** The environment by which tests and tools find these services. The first Postgres is also plain `TEST_POSTGRES_URL`. */
export function stackEnvironment(urls: StackUrls): Record<string, string> {
  const environment: Record<string, string> = {};
  const versions = Object.entries(urls.postgres);
  for (const [version, url] of versions) environment[`TEST_POSTGRES_${version}_URL`] = url;
  const first = versions[0];
  if (first !== undefined) environment.TEST_POSTGRES_URL = first[1];
  if (urls.mysql !== undefined) environment.TEST_MYSQL_URL = urls.mysql;
  if (urls.mariadb !== undefined) environment.TEST_MARIADB_URL = urls.mariadb;
  if (urls.kafka !== undefined) environment.TEST_KAFKA_BROKERS = urls.kafka.join(',');
  if (urls.registry !== undefined) environment.TEST_REGISTRY_URL = urls.registry;
  return environment;
}
