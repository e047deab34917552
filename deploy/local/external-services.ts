import { connect } from 'node:net';
import type { StackUrls } from './stack-urls.ts';

/** Ports that docker-compose.yml publishes on 127.0.0.1. */
const COMPOSE_PORTS = { postgres: 15_432, kafka: 19_092, registry: 18_081 } as const;

/**
 * Services that run already and take the place of ours: those named in `TEST_POSTGRES_<version>_URL`, `TEST_POSTGRES_URL`,
 * `TEST_MYSQL_URL`, `TEST_MARIADB_URL`, `TEST_KAFKA_BROKERS` and `TEST_REGISTRY_URL`; with `TEST_USE_COMPOSE=1` also those of the repository's compose project.
 *
 * @param versions the Postgres versions that are wanted
 */
export async function externalServices(versions: readonly number[]): Promise<StackUrls> {
  const compose = process.env.TEST_USE_COMPOSE === '1' ? await composeServices() : { postgres: null };
  const postgres: Record<number, string> = {};
  for (const version of versions) {
    const url = process.env[`TEST_POSTGRES_${version}_URL`] || process.env.TEST_POSTGRES_URL || compose.postgres;
    if (url) postgres[version] = url;
  }
  const kafka = process.env.TEST_KAFKA_BROKERS?.split(',') ?? compose.kafka;
  const registry = process.env.TEST_REGISTRY_URL ?? compose.registry;
  const mysql = process.env.TEST_MYSQL_URL;
  const mariadb = process.env.TEST_MARIADB_URL;
  return {
    postgres,
    ...(mysql ? { mysql } : {}),
    ...(mariadb ? { mariadb } : {}),
    ...(kafka === undefined ? {} : { kafka }),
    ...(registry === undefined ? {} : { registry }),
  };
}

async function composeServices(): Promise<{ postgres: string | null; kafka?: string[]; registry?: string }> {
  const [postgres, kafka, registry] = await Promise.all([
    isListening(COMPOSE_PORTS.postgres),
    isListening(COMPOSE_PORTS.kafka),
    registryBase(`http://127.0.0.1:${COMPOSE_PORTS.registry}`),
  ]);
  return {
    postgres: postgres ? `postgres://postgres@127.0.0.1:${COMPOSE_PORTS.postgres}/postgres` : null,
    ...(kafka ? { kafka: [`127.0.0.1:${COMPOSE_PORTS.kafka}`] } : {}),
    ...(registry === null ? {} : { registry }),
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}

/** Confluent's registry answers at its root, Apicurio below a path. */
async function registryBase(root: string): Promise<string | null> {
  for (const base of [root, `${root}/apis/ccompat/v7`]) {
    try {
      const response = await fetch(`${base}/subjects`, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      if (response.ok) return base;
    } catch {
      // Nothing listens there, or it is no registry.
      return null;
    }
  }
  return null;
}
