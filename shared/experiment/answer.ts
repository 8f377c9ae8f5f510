import type { Answer } from '../http/operation.ts';
import { type ExperimentRecord, experimentOf } from './record.ts';

/** An experiment as an operation answers it. */
export const experimentAnswer = (status: number, record: ExperimentRecord): Answer => ({
  status,
  body: experimentOf(record),
  etag: record.version,
  ...(status === 200 ? {} : { headers: { location: `/v1/experiments/${record.id}` } }),
});
