import type { FastifyError } from 'fastify';
import { type Answer, problem } from './answer.ts';

type Violation = NonNullable<FastifyError['validation']>[number];

/** Answers what the client did wrong: the member of the body, where it is that, and never the value. */
export function answerBadRequest(error: FastifyError, status: number): Answer {
  const violation = error.validation?.[0];
  if (violation !== undefined) {
    const field = fieldOf(violation);
    const detail = `${field === '' ? 'The body' : field} ${complaintOf(violation)}.`;
    return problem(status, detail, {
      code: 'BODY_INVALID',
      field,
      remedy: 'GET /api/v1/openapi.json describes the body.',
    });
  }
  if (status === 415) return problem(status, 'A body has to be JSON: send it with content-type: application/json.');
  if (status === 413) return problem(status, 'The body is too large.');
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error instanceof SyntaxError) {
    return problem(status, 'The body is not valid JSON.', { code: 'BODY_INVALID', field: '' });
  }
  return problem(status, 'The request cannot be understood.');
}

/** `/tables/0` → `tables[0]`; a missing or unknown member by its own name. */
function fieldOf({ instancePath, keyword, params }: Violation): string {
  const path = instancePath.split('/').slice(1);
  if (keyword === 'required') path.push(String(params.missingProperty));
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty));
  return path
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((field, step) => (/^\d+$/.test(step) ? `${field}[${step}]` : field === '' ? step : `${field}.${step}`), '');
}

function complaintOf({ keyword, params }: Violation): string {
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not known here';
    case 'type':
      return `has to be ${[params.type].flat().join(' or ')}`;
    case 'minLength':
    case 'minItems':
      return 'is empty';
    default:
      return 'does not fit';
  }
}
