import { z } from 'zod';
import { configurationSchema } from './configuration.ts';

/** A variable may stand wherever a number, a flag or one of several words is expected. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' };

/** JSON Schema (2020-12) of `tailrace.yaml`, for completion and checking in editors. */
export function configurationJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configurationSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      const json = jsonSchema as Record<string, unknown>;
      if (json['x-not-built'] === true) Object.assign(json, { not: {} });
      const isSetting = json['x-kind'] !== undefined;
      if (isSetting && json.type === 'array') oneOrMany(json);
      else if (isSetting && isConstrained(json)) allowVariable(json);
      if (hasName(json, 'debezium')) {
        // Debezium's own names may say what the source is called and of which type.
        json.anyOf = [{ required: ['name', 'type'] }, { required: ['debezium'] }];
        delete json.required;
      }
      delete json['x-kind'];
      delete json['x-unit'];
      delete json['x-commas'];
      delete json['x-not-built'];
    },
  });
  return { ...schema, title: 'tailrace.yaml' };
}

function isConstrained(json: Record<string, unknown>): boolean {
  return json.type !== 'string' || json.enum !== undefined || json.pattern !== undefined;
}

function allowVariable(json: Record<string, unknown>): void {
  const { description, default: standard, 'x-kind': _kind, 'x-unit': _unit, ...constraint } = json;
  for (const name of Object.keys(json)) delete json[name];
  if (description !== undefined) json.description = description;
  if (standard !== undefined) json.default = standard;
  json.anyOf = [constraint, VARIABLE];
}

/** Where a list is expected, one item may stand for a list of one. */
function oneOrMany(json: Record<string, unknown>): void {
  const { items, 'x-commas': commas } = json;
  delete json.type;
  delete json.items;
  json.anyOf = [{ type: 'array', items }, commas === true ? { type: 'string' } : items];
}

function hasName(json: Record<string, unknown>, name: string): boolean {
  return typeof json.properties === 'object' && json.properties !== null && Object.hasOwn(json.properties, name);
}
