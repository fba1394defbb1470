import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { isNoSuchUpload, malformed, required } from './errors.js';
import { ifAbsent, type PutOptions, type Requests, type WriteOutcome } from './requests.js';

/** A multipart upload in progress. */
export interface Multipart {
  readonly key: string;
  readonly uploadId: string;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly startedMs: number;
}

/** What a service may have to copy before it answers that an upload is complete, for the time that it is given. */
const completedBytes = 8 * 1024 * 1024;

/** The requests about multipart uploads. They fail as those of S3Bucket. */
export class MultipartRequests {
  constructor(private readonly requests: Requests) {}

  /** Begins a multipart upload. @returns its id */
  async create(key: string, options: PutOptions): Promise<string> {
    const { sdk, client } = this.requests;
    const operation = 'CreateMultipartUpload';
    const command = new sdk.CreateMultipartUploadCommand({
      ...this.requests.at(key),
      ...this.requests.newObject(options),
    });
    const { UploadId } = await this.requests.answer(operation, (how) => client.send(command, how), options);
    return required(operation, 'upload id', UploadId);
  }

  /**
   * Uploads a part. The bytes may not change until it ends.
   *
   * @param number from 1 to 10 000
   * @returns its ETag
   */
  async upload(
    key: string,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<string> {
    const { sdk, client } = this.requests;
    const command = new sdk.UploadPartCommand({
      ...this.requests.at(key),
      ...this.requests.encryption(),
      ...this.requests.integrity(bytes),
      UploadId: uploadId,
      PartNumber: number,
      Body: bytes,
    });
    const sending = { signal, bytes: bytes.length };
    const { ETag } = await this.requests.answer('UploadPart', (how) => client.send(command, how), sending);
    return required('UploadPart', 'ETag', ETag);
  }

  /** Makes the parts an object. @param etags of the parts 1, 2 and so on */
  complete(key: string, uploadId: string, etags: readonly string[], options: PutOptions): Promise<WriteOutcome> {
    const { sdk, client } = this.requests;
    const command = new sdk.CompleteMultipartUploadCommand({
      ...this.requests.at(key),
      ...this.requests.encryption(),
      ...ifAbsent(options),
      UploadId: uploadId,
      MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) },
    });
    const sending = { signal: options.signal, bytes: completedBytes };
    return this.requests.write('CompleteMultipartUpload', (how) => client.send(command, how), sending);
  }

  /** Removes an upload and its parts. Succeeds if it is gone. */
  async abort(key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
    const { sdk, client } = this.requests;
    const command = new sdk.AbortMultipartUploadCommand({ ...this.requests.at(key), UploadId: uploadId });
    try {
      await this.requests.answer('AbortMultipartUpload', (how) => client.send(command, how), { signal });
    } catch (error) {
      if (!isNoSuchUpload(error)) throw error;
    }
  }

  /** The multipart uploads in progress whose keys start with `prefix`: all, or an error. */
  async *list(prefix: string): AsyncGenerator<Multipart, void, undefined> {
    const { sdk, client, bucket } = this.requests;
    const operation = 'ListMultipartUploads';
    let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (next !== undefined) {
      const command = new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...next });
      const page: ListMultipartUploadsCommandOutput = await this.requests.answer(operation, (how) =>
        client.send(command, how),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined)
          throw malformed(operation, 'an upload lacks its key, id or time');
        yield { key: Key, uploadId: UploadId, startedMs: Initiated.getTime() };
      }
      if (page.IsTruncated !== true) return;
      const KeyMarker = required(operation, 'marker for the next page', page.NextKeyMarker);
      const UploadIdMarker = page.NextUploadIdMarker || undefined;
      if (KeyMarker === next.KeyMarker && UploadIdMarker === next.UploadIdMarker)
        throw malformed(operation, 'its next page is the same one');
      next = { KeyMarker, ...(UploadIdMarker !== undefined && { UploadIdMarker }) };
    }
  }
}
