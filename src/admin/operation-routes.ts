import type { Logger } from '../core/logger.ts';
import { accepted, invalid, type OperationOutcome, type OperationRefusal } from '../core/operation-outcome.ts';
import type { SnapshotRequest } from '../core/snapshot-control.ts';
import type { SourceOperations } from '../core/source-operations.ts';
import { type Answer, json, problem } from './answer.ts';
import type { Route, RouteRequest, RouteResponse } from './route.ts';
import { RESYNC_BODY, SNAPSHOT_BODY } from './schemas.ts';

export interface OperationParts {
  readonly operations: SourceOperations;
  /** A pattern that matches the whole name of a table; null for text that is no regular expression. */
  readonly compilePattern: (source: string) => RegExp | null;
  /** Gets one line for each operation, whatever it came to. */
  readonly audit: Logger;
}

const STATUS_OF: Readonly<Record<OperationRefusal['kind'], number>> = { unknown: 404, conflict: 409, invalid: 400 };
const PROBLEM = { contentType: 'application/problem+json', schema: 'Problem' } as const;
const REFUSALS: Readonly<Record<number, RouteResponse>> = {
  400: { description: 'The body is not as described; `field` names what is wrong.', ...PROBLEM },
  401: { description: 'No token, or an unknown one.', ...PROBLEM },
  403: { description: 'The token may only read, or a page of another site asks.', ...PROBLEM },
  404: { description: 'No source has this name.', ...PROBLEM },
  409: { description: 'Not in the present state of the source; `code` and `remedy` say why.', ...PROBLEM },
};
const SOURCE = { contentType: 'application/json', schema: 'Source' } as const;
const SNAPSHOT = { contentType: 'application/json', schema: 'Snapshot' } as const;

/** What can be done to sources. Each operation is written to the audit log. */
export function operationRoutes(parts: OperationParts): readonly Route[] {
  const { operations } = parts;
  const at = '/api/v1/sources/:name';
  const audited = (what: string, status: number, carryOut: Operation) => ({
    access: 'operate' as const,
    handle: (request: RouteRequest) => carryOutAudited(parts.audit, what, status, carryOut, request),
  });
  return [
    {
      method: 'POST',
      path: `${at}/pause`,
      summary: 'Stop reading gracefully and stay paused until resumed',
      responses: { 200: { description: 'The source is paused.', ...SOURCE }, ...REFUSALS },
      ...audited('pause', 200, (name) => operations.pause(name)),
    },
    {
      method: 'POST',
      path: `${at}/resume`,
      summary: 'Start again from the checkpoint: after a pause or a mended failure, or at once while it backs off',
      responses: { 200: { description: 'The source starts.', ...SOURCE }, ...REFUSALS },
      ...audited('resume', 200, (name) => operations.resume(name)),
    },
    {
      method: 'POST',
      path: `${at}/resync`,
      summary: 'Discard the position and start over',
      body: { schema: RESYNC_BODY, description: 'The name of the source again, as a confirmation.' },
      responses: { 202: { description: 'The source starts over.', ...SOURCE }, ...REFUSALS },
      ...audited('resync', 202, async (name, { confirm, keep_deleted }) =>
        confirm === name ? operations.resync(name, { keepsDeleted: keep_deleted === true }) : notConfirmed(),
      ),
    },
    {
      method: 'GET',
      access: 'read',
      path: `${at}/snapshots`,
      summary: 'The snapshot that is under way, or the last one; null where there was none',
      responses: {
        200: { description: 'The snapshot.', contentType: 'application/json', schema: 'SnapshotOrNull' },
        401: REFUSALS[401]!,
        404: REFUSALS[404]!,
      },
      handle: ({ parameters }) => answer(operations.snapshotStatus(parameters.name!), 200),
    },
    {
      method: 'POST',
      path: `${at}/snapshots`,
      summary: 'Read tables again while the stream goes on',
      body: { schema: SNAPSHOT_BODY, description: 'Which tables and rows; every captured table without one.' },
      responses: { 202: { description: 'The snapshot begins.', ...SNAPSHOT }, ...REFUSALS },
      ...audited('snapshot start', 202, async (name, body) => {
        const request = snapshotRequest(body, parts.compilePattern);
        return request.ok ? operations.startSnapshot(name, request.value) : request;
      }),
    },
    {
      method: 'DELETE',
      path: `${at}/snapshots`,
      summary: 'End the snapshot that is under way; what it published stays',
      responses: { 200: { description: 'The snapshot has stopped.', ...SNAPSHOT }, ...REFUSALS },
      ...audited('snapshot stop', 200, (name) => operations.stopSnapshot(name)),
    },
    {
      method: 'POST',
      path: `${at}/snapshots/pause`,
      summary: 'Let the snapshot rest; the stream goes on',
      responses: { 200: { description: 'The snapshot is paused.', ...SNAPSHOT }, ...REFUSALS },
      ...audited('snapshot pause', 200, (name) => operations.pauseSnapshot(name)),
    },
    {
      method: 'POST',
      path: `${at}/snapshots/resume`,
      summary: 'Let a paused snapshot go on',
      responses: { 200: { description: 'The snapshot goes on.', ...SNAPSHOT }, ...REFUSALS },
      ...audited('snapshot resume', 200, (name) => operations.resumeSnapshot(name)),
    },
  ];
}

type Operation = (source: string, body: RouteRequest['body']) => Promise<OperationOutcome<unknown>>;

/** Written before and not only after: what a crash cuts off was asked for all the same. */
async function carryOutAudited(
  audit: Logger,
  operation: string,
  status: number,
  carryOut: Operation,
  { parameters, body, caller }: RouteRequest,
): Promise<Answer> {
  const source = parameters.name!;
  const fields = { who: caller.name, operation, source };
  audit.info({ ...fields, outcome: 'asked' }, `${caller.name} asks for: ${operation}`);
  try {
    const outcome = await carryOut(source, body);
    const came = outcome.ok ? { outcome: 'done' } : { outcome: 'refused', code: outcome.refusal.code };
    audit.info({ ...fields, ...came }, `${operation} is ${came.outcome}`);
    return answer(outcome, status);
  } catch (error) {
    audit.error({ ...fields, outcome: 'failed', error }, `${operation} is failed`);
    throw error;
  }
}

function answer(outcome: OperationOutcome<unknown>, status: number): Answer {
  if (outcome.ok) return { ...json(outcome.value), status };
  const { kind, code, message, remedy, field } = outcome.refusal;
  return problem(STATUS_OF[kind], message, { code, remedy, ...(field === undefined ? {} : { field }) });
}

function notConfirmed(): OperationOutcome<never> {
  const message = 'A resync discards the position; confirm is not the name of the source.';
  return invalid('CONFIRMATION_WRONG', message, 'Send { "confirm": "<name of the source>" }.', 'confirm');
}

/** The body is of the shape that its schema says. */
function snapshotRequest(
  body: RouteRequest['body'],
  compilePattern: OperationParts['compilePattern'],
): OperationOutcome<SnapshotRequest> {
  const {
    tables = null,
    where = null,
    blocking = false,
  } = body as { tables?: readonly string[] | null; where?: string | null; blocking?: boolean };
  const patterns: RegExp[] = [];
  for (const [index, source] of (tables ?? []).entries()) {
    const pattern = compilePattern(source);
    if (pattern === null) {
      const message = 'This is not a regular expression.';
      return invalid('PATTERN_INVALID', message, 'Write public\\.orders, for example.', `tables[${index}]`);
    }
    patterns.push(pattern);
  }
  return accepted({ tables: tables === null ? null : patterns, where, ...(blocking ? { isBlocking: true } : {}) });
}
