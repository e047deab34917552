const digits =
  'SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9';
/** Numbers from 0 on as `n`. */
export const NUMBERS = `(SELECT a.d + 10 * b.d + 100 * c.d AS n FROM (${digits}) a, (${digits}) b, (${digits}) c) numbers`;

/** Columns of the key and a value for number `n`; every number gives another key. */
export const KEYS: readonly { name: string; columns: string; key: string; values: string }[] = [
  { name: 'int', columns: 'k int', key: 'k', values: 'n * 7 - 900' },
  { name: 'unsigned bigint', columns: 'k bigint unsigned', key: 'k', values: '18446744073709551615 - n * 3' },
  { name: 'int zerofill', columns: 'k int(10) zerofill', key: 'k', values: 'n * 100' },
  { name: 'mediumint', columns: 'k mediumint', key: 'k', values: '-8388608 + n' },
  {
    name: 'text, case-insensitive',
    columns: 'k varchar(40)',
    key: 'k',
    values: "CONCAT(IF(n % 2, 'ä', 'A'), n, IF(n % 3, 'Z', 'ß'))",
  },
  { name: 'emoji', columns: 'k varchar(40)', key: 'k', values: "CONCAT('😀', REVERSE(n), '漢''\\\\', n, '\"')" },
  {
    name: 'latin1',
    columns: 'k char(30) character set latin1 collate latin1_bin',
    key: 'k',
    values: "CONCAT(IF(n % 2, 'ü', 'z'), n)",
  },
  { name: 'utf16', columns: 'k varchar(30) character set utf16', key: 'k', values: "CONCAT('é', n)" },
  {
    name: 'binary',
    columns: 'k binary(6)',
    key: 'k',
    values: "UNHEX(CONCAT(LPAD(HEX(n * 37), 6, '0'), IF(n % 2, '00', '27')))",
  },
  {
    name: 'varbinary',
    columns: 'k varbinary(20)',
    key: 'k',
    values: "UNHEX(CONCAT('5C2700', LPAD(HEX(n * 37), 6, 'F')))",
  },
  { name: 'decimal', columns: 'k decimal(30,10)', key: 'k', values: '(n - 120) * 12345678901.0000000001' },
  { name: 'double', columns: 'k double', key: 'k', values: 'n / 3 - 40' },
  { name: 'float', columns: 'k float', key: 'k', values: 'n / 3 - 40' },
  {
    name: 'datetime',
    columns: 'k datetime(6)',
    key: 'k',
    values: "'1969-12-30 23:59:59.999999' + INTERVAL n * 99999 MICROSECOND",
  },
  {
    name: 'timestamp',
    columns: "k timestamp(3) NOT NULL DEFAULT '2020-01-01 00:00:00'",
    key: 'k',
    values: "'2024-02-29 00:00:00.001' + INTERVAL n * 7 SECOND",
  },
  { name: 'date', columns: 'k date', key: 'k', values: "'1999-12-25' + INTERVAL n DAY" },
  { name: 'time', columns: 'k time(2)', key: 'k', values: 'SEC_TO_TIME(n * 111 - 9999)' },
  { name: 'bit', columns: 'k bit(40)', key: 'k', values: 'n * 1000000' },
  {
    name: 'composite',
    columns: 'a int, b varchar(20), c datetime',
    key: 'a, b, c',
    values: "n % 4, CONCAT('x', n % 9), '2020-01-01' + INTERVAL n DAY",
  },
  { name: 'composite in another order', columns: 'a int, b int, c bigint', key: 'c, a', values: 'n, n % 3, n DIV 10' },
];
