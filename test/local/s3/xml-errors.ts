import { AwsError, type Service } from '../../../local/platform.ts';

/** S3 tells its errors in XML; the endpoint of small test clouds knows JSON only. */
export function withXmlErrors(s3: Service): Service {
  return {
    ...s3,
    async serve(call) {
      try {
        if (!s3.serve) throw new Error('S3 speaks a REST protocol');
        return await s3.serve(call);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const body = `<?xml version="1.0"?><Error><Code>${error.code}</Code><Message>none</Message></Error>`;
        return { status: error.status, headers: { 'content-type': 'application/xml' }, body };
      }
    },
  };
}
