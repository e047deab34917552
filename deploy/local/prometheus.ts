import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages, foreignProgram } from './debian-packages.ts';
import type { Report } from './report.ts';
import { findProgram } from './run-command.ts';

/** Each a program and what stands before its arguments. */
export interface Prometheus {
  readonly prometheus: readonly [string, ...string[]];
  readonly promtool: readonly [string, ...string[]];
}

const SUITE = 'trixie';
const REMEDY = 'Install Prometheus with promtool, or set TEST_PROMETHEUS to the folder that has both.';

/**
 * Prometheus and promtool for tests: in the folder `TEST_PROMETHEUS`, on the PATH, or Debian's, unpacked into the cache of
 * downloads.
 * @throws Error where there is none, saying what to do.
 */
export async function findPrometheus(report: Report, signal: AbortSignal): Promise<Prometheus> {
  const folder = process.env.TEST_PROMETHEUS;
  if (folder !== undefined && folder !== '') {
    const [prometheus, promtool] = [join(folder, 'prometheus'), join(folder, 'promtool')];
    const missing = [prometheus, promtool].find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`TEST_PROMETHEUS is ${folder}, and there is no ${missing}`);
    return { prometheus: [prometheus], promtool: [promtool] };
  }
  const [prometheus, promtool] = await Promise.all([findProgram('prometheus'), findProgram('promtool')]);
  if (prometheus !== null && promtool !== null) return { prometheus: [prometheus], promtool: [promtool] };
  try {
    const tree = await debianPackages(SUITE, ['prometheus'], 'Prometheus and what it needs (42 MB)', report, signal);
    return {
      prometheus: foreignProgram(tree, 'usr/bin/prometheus'),
      promtool: foreignProgram(tree, 'usr/bin/promtool'),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`There is no Prometheus on the PATH, and none could be downloaded. ${REMEDY}`, { cause: error });
  }
}
