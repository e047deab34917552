import { registryUrl } from './services.ts';

/** A request to the real schema registry, as an operator would make it with curl. */
export async function askRegistry(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(registryUrl() + path, {
    method,
    signal: AbortSignal.timeout(30_000),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

/** Versions of a subject, in order; none where it does not exist. */
export async function subjectVersions(subject: string): Promise<readonly number[]> {
  const { status, body } = await askRegistry('GET', `/subjects/${encodeURIComponent(subject)}/versions`);
  return status === 404 ? [] : (body as number[]);
}

/**
 * Removes a subject, but not for good; one that does not exist is no error. Apicurio, asked to delete a subject for good,
 * throws away every schema that no version refers to, and with it those that other tests are just registering.
 */
export async function deleteSubject(subject: string): Promise<void> {
  await askRegistry('DELETE', `/subjects/${encodeURIComponent(subject)}`);
}

/** Sets the compatibility level that new versions of the subject have to keep. */
export async function protectSubject(subject: string, level: string): Promise<void> {
  const { status } = await askRegistry('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: level });
  if (status !== 200) throw new Error(`the registry answered ${status} to a compatibility level for ${subject}`);
}
