import type { Artifacts } from '../../shared/aws/artifacts.ts';
import type { Table } from '../../shared/store/table.ts';

export interface SummaryDependencies {
  table: Table;
  artifacts: Artifacts;
}
