import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

export interface HouseAlarmProps {
  /** Full name; the runbook has an entry for what follows the stage's prefix. */
  name: string;
  description: string;
  metric: IMetric;
  action: IAlarmAction;
}

/** An alarm that rings at the first occurrence, is quiet without data, and says where to read on. */
export class HouseAlarm extends Alarm {
  constructor(scope: Construct, id: string, { name, description, metric, action }: HouseAlarmProps) {
    super(scope, id, {
      alarmName: name,
      alarmDescription: `${description} What to do: docs/runbook.md.`,
      metric,
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.addAlarmAction(action);
  }
}
