// The little of WebAssembly that is used here: TypeScript has its types in the library of browsers alone.
declare namespace WebAssembly {
  function validate(module: Uint8Array): boolean;
  function instantiate(module: Uint8Array, imports: object): Promise<{ instance: { exports: object } }>;
  class Memory {
    constructor(pages: { initial: number; maximum: number; shared: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
}
