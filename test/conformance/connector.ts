import { describe } from 'node:test';
import { testConfiguration } from './connector/configuration.ts';
import type { ConformanceServer } from './connector/conformance-database.ts';
import { testDaemon } from './connector/daemon.ts';
import { testPreflight } from './connector/preflight.ts';
import { testResume } from './connector/resume.ts';
import { testStream } from './connector/stream.ts';

/** What every SourceConnector promises, whatever its database. */
export function describeConnector(server: ConformanceServer): void {
  describe(`connector: ${server.name}`, { timeout: 600_000 }, () => {
    testConfiguration(server);
    testPreflight(server);
    testStream(server);
    testResume(server);
    testDaemon(server);
  });
}
