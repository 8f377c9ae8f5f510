/** Step Functions, as far as an experiment's execution needs it. The execution's name is the experiment's id. */
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

export interface Executions {
  /** Starting the same one again does nothing, even when it has ended. */
  start(organisation: string, experimentId: string): Promise<void>;
  state(experimentId: string): Promise<'running' | 'ended' | 'absent'>;
}

export function createExecutions(stateMachineArn: string, client: SFNClient = new SFNClient({})): Executions {
  return {
    async start(organisation, experimentId) {
      try {
        await client.send(
          new StartExecutionCommand({
            stateMachineArn,
            name: experimentId,
            input: JSON.stringify({ organisation, experimentId }),
          }),
        );
      } catch (error) {
        // Names stay taken for 90 days, which is what makes a repeated start harmless.
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    },
    async state(experimentId) {
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${experimentId}`;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
        return status === 'RUNNING' || status === 'PENDING_REDRIVE' ? 'running' : 'ended';
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return 'absent';
        throw error;
      }
    },
  };
}
