import { acceptingAccess, acceptingVariables } from '../access/accepting.ts';
import { stateMachineArn } from '../access/work.ts';
import { type FunctionDeclaration, requestMemoryMiB, requestTimeoutSeconds } from './declaration.ts';

export const experimentStarts: FunctionDeclaration = {
  name: 'experiment-starts',
  description: 'Accepts experiments, with or without a build of their image',
  timeoutSeconds: requestTimeoutSeconds,
  memoryMiB: requestMemoryMiB,
  variables: [...acceptingVariables, 'STATE_MACHINE_ARN'],
  access: (deployment) => [
    ...acceptingAccess(deployment),
    { actions: ['states:StartExecution'], resources: [stateMachineArn(deployment)] },
  ],
};
