import type { DeclaredResource } from '../../../local/platform.ts';
import type { TestCloud } from '../test-cloud.ts';

export const rule: DeclaredResource = {
  stack: 'api',
  logicalId: 'Rule',
  type: 'AWS::Events::Rule',
  physicalId: 'all',
  attributes: { Arn: 'arn:aws:events:us-east-1:000000000000:rule/all' },
  properties: {
    EventPattern: { source: ['test'] },
    Targets: [{ Id: 'Function', Arn: 'arn:aws:lambda:us-east-1:000000000000:function:all' }],
  },
};

/** Writes down the ids of the events that the function gets. */
export function recordDeliveries(cloud: TestCloud): void {
  cloud.db.exec('CREATE TABLE IF NOT EXISTS delivered (id TEXT)');
  const insert = cloud.db.prepare('INSERT INTO delivered VALUES (?)');
  cloud.invokeFunctionAsync = (_functionArn, payload) => void insert.run((payload as { id: string }).id);
}
