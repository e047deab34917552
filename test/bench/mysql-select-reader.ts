import mysql from 'mysql2';

/** `mysql-select-reader.ts URL DATABASE ROWS`: streams the table `rows`, and prints the peak memory in KiB. */
const [url = '', database = '', rows = ''] = process.argv.slice(2);
const connection = mysql.createConnection({ uri: url, database, rowsAsArray: true });
let read = 0;
connection
  .query('SELECT * FROM `rows`')
  .on('result', () => {
    read += 1;
  })
  .on('error', (error) => {
    throw error;
  })
  .on('end', () => {
    if (read !== Number(rows)) throw new Error(`${read} rows were read, and the table has ${rows}`);
    process.stdout.write(String(process.resourceUsage().maxRSS), () => process.exit(0));
  });
