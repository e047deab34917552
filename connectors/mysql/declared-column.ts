import type { CatalogColumn } from './catalog-column.ts';
import { declaredDefault } from './declared-default.ts';
import { type DeclarationContext, readDeclaredType } from './declared-type.ts';
import type { StatementTokens } from './statement-tokens.ts';

/** A column as a statement declares it. */
export interface DeclaredColumn {
  readonly column: CatalogColumn;
  /** What `PRIMARY KEY` and `UNIQUE` behind it make of it. */
  readonly isPrimary: boolean;
  readonly isUnique: boolean;
  /** `FIRST`, `AFTER column`, or null: where it was, or last. */
  readonly place: { readonly after: string | null } | null;
}

/**
 * Reads a column from behind its name up to the comma or bracket after it, and says what the catalog will say of it.
 * @returns null for everything that is not as plain as can be: then the catalog has to be asked.
 */
export function readDeclaredColumn(
  tokens: StatementTokens,
  name: string,
  context: DeclarationContext,
): DeclaredColumn | null {
  const type = readDeclaredType(tokens, context);
  if (type === null) return null;
  let nullable: boolean | null = null;
  let standard: string | null | undefined;
  let onUpdate: string | null = null;
  let isAutoIncrement = false;
  let isPrimary = false;
  let isUnique = false;
  let comment = '';
  let place: DeclaredColumn['place'] = null;
  for (let token = tokens.peek(); token !== null; token = tokens.peek()) {
    if (token.kind === 'symbol' && (token.text === ',' || token.text === ')')) break;
    if (token.kind !== 'word') return null;
    tokens.next();
    switch (token.text.toLowerCase()) {
      case 'not':
        if (!tokens.skipWord('null')) return null;
        nullable = false;
        break;
      case 'null':
        nullable = true;
        break;
      case 'default':
        standard = declaredDefault(tokens, type, context);
        if (standard === undefined) return null;
        break;
      case 'on':
        if (!tokens.skipWord('update')) return null;
        onUpdate = declaredDefault(tokens, type, context) ?? null;
        if (onUpdate === null || !/^current_timestamp/i.test(onUpdate)) return null;
        break;
      case 'auto_increment':
        isAutoIncrement = true;
        break;
      case 'primary':
        if (!tokens.skipWord('key')) return null;
        isPrimary = true;
        break;
      case 'unique':
        tokens.skipWord('key');
        isUnique = true;
        break;
      case 'comment': {
        const text = tokens.next();
        if (text?.kind !== 'text') return null;
        comment = text.text;
        break;
      }
      case 'first':
        place = { after: null };
        break;
      case 'after': {
        const after = tokens.next();
        if (after?.kind !== 'word' && after?.kind !== 'name') return null;
        place = { after: after.text };
        break;
      }
      default:
        return null;
    }
  }
  // Unless said otherwise, older servers make the first TIMESTAMP follow the clock, and the others zero.
  if (type.name === 'timestamp' && (nullable === null || (nullable === false && standard === undefined))) return null;
  // AUTO_INCREMENT says NOT NULL too; of it and a NULL the last one counts.
  if (isAutoIncrement && nullable === true) return null;
  const isNullable = nullable !== false && !isPrimary && !isAutoIncrement;
  const isComputed = context.marksComputedDefaults && standard != null && /^current_timestamp/i.test(standard);
  const extra = [
    isComputed ? 'default_generated' : '',
    isAutoIncrement ? 'auto_increment' : '',
    onUpdate === null ? '' : `on update ${onUpdate.toLowerCase()}`,
  ];
  const column: CatalogColumn = {
    name,
    columnType: type.columnType,
    nullable: isNullable,
    default: standard ?? (context.dialect === 'mariadb' && isNullable ? 'NULL' : null),
    charset: type.charset,
    extra: extra.filter((part) => part !== '').join(' '),
    comment,
  };
  return { column, isPrimary, isUnique, place };
}
