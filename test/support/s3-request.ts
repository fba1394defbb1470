import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** The operations that the tests tell apart, by the names of the API. */
export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'GetObject'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'PutObject'
  | 'UploadPart'
  | 'other';

/** A request with the bucket in its path. */
export interface S3Request {
  readonly operation: S3Operation;
  /** The object's key; empty where the request is about the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export function parseS3Request({ method = '', url = '', headers }: IncomingMessage): S3Request {
  const { pathname, searchParams: query } = new URL(url, 'http://localhost');
  const key = decodeURIComponent(pathname).split('/').slice(2).join('/');
  const operation = key === '' ? ofBucket(method, query) : ofObject(method, query);
  return { operation, key, query, headers };
}

function ofBucket(method: string, query: URLSearchParams): S3Operation {
  if (method !== 'GET') return 'other';
  if (query.has('uploads')) return 'ListMultipartUploads';
  if (query.has('versions')) return 'ListObjectVersions';
  return query.get('list-type') === '2' ? 'ListObjectsV2' : 'other';
}

function ofObject(method: string, query: URLSearchParams): S3Operation {
  const upload = query.has('uploadId');
  switch (method) {
    case 'GET':
      return 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'PUT':
      return upload ? 'UploadPart' : 'PutObject';
    case 'DELETE':
      return upload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST':
      if (upload) return 'CompleteMultipartUpload';
      return query.has('uploads') ? 'CreateMultipartUpload' : 'other';
    default:
      return 'other';
  }
}
