import { identifyProcess } from '../../deploy/local/process-identity.ts';
import { createRunDirectory } from '../../deploy/local/run-directory.ts';
import type { Service, ServiceContext } from '../../deploy/local/service.ts';
import { endStack } from '../../deploy/local/stack.ts';

/** A service that one test has for itself, with settings that nobody else could bear. */
export interface OwnService<S extends Service> extends AsyncDisposable {
  readonly service: S;
}

/** @param start begins with a context whose directory is removed, with what runs in it, when the service is disposed. */
export async function startOwnService<S extends Service>(
  start: (context: ServiceContext) => Promise<S>,
): Promise<OwnService<S>> {
  const runDirectory = createRunDirectory(identifyProcess(process.pid));
  const { signal } = new AbortController();
  const end = () => endStack(runDirectory);
  try {
    const service = await start({ runDirectory, endsWithParent: true, report: () => {}, signal });
    return { service, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}
