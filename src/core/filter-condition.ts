/**
 * An operator's SQL as one condition among others. Brackets alone do not keep it to itself: of `a) OR (b` they would make
 * two conditions, and other rows would be read than its chunk has. Between CASE WHEN and THEN that is a syntax error; the
 * rest of the condition is always true, and planners drop it. The text may end in a comment.
 */
export function filterCondition(filter: string): string {
  return `((${filter}\n) AND (TRUE OR CASE WHEN ${filter}\n THEN TRUE END))`;
}

/** The condition of the rows for which the filter does not hold: NULL lets no row pass either. */
export function outsideCondition(filter: string): string {
  return `CASE WHEN ${filter}\n THEN TRUE END IS NOT TRUE`;
}
