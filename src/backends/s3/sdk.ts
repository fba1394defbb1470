/** Loads the packages that stores in S3 need. They are large, and few gateways need them, so nothing imports them before a store is opened. */
export async function loadSdk() {
  const [s3, { defaultProvider }, { SaxesParser }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/credential-provider-node'),
    import('saxes'),
  ]);
  return { ...s3, defaultProvider, SaxesParser };
}

export type Sdk = Awaited<ReturnType<typeof loadSdk>>;
