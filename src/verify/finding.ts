/** A key that differs for good. */
export interface KeyFinding {
  readonly kind: 'missing' | 'extra' | 'different';
  /** Avro bytes of the key (in a table without key: of the row) as the table has it; null where the table does not. */
  readonly rowKey: Buffer | null;
  /** A record of the key. */
  readonly record: { readonly partition: number; readonly offset: number } | null;
  /** How many rows or records it stands for: in a table without key there may be several alike. */
  readonly copies: number;
}
