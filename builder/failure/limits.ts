/** Of what is kept of a job's output. */
export const keptLines = 25;
/** In characters. */
export const longestLine = 500;
