import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { expect, it } from 'vitest';
import { explainAwsError } from '../../scripts/aws-error.ts';

const noProfiles = { ignoreCache: true, filepath: '/dev/null', configFilepath: '/dev/null' };

it('says which variable would have named the region', async () => {
  const region = process.env.AWS_REGION;
  delete process.env.AWS_REGION;
  try {
    const refused = await new ECRClient(noProfiles)
      .send(new GetAuthorizationTokenCommand({}))
      .catch((error: Error) => error);
    expect(explainAwsError(refused)).toMatch(/^Region is missing. Set AWS_REGION, /);
  } finally {
    if (region !== undefined) process.env.AWS_REGION = region;
  }
});

it('says which variables would have had the credentials, and leaves other errors alone', () => {
  expect(explainAwsError(new Error('Could not load credentials from any providers'))).toContain(
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  );
  expect(explainAwsError(new Error('There is no stage x.'))).toBe('There is no stage x.');
});
