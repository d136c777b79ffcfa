export * from './activations';
export { channelsFirst, channelsLast, clear, firstFreeByte, load8 } from './layout';
export {
  convolve,
  convolveInputGradient,
  convolveWeightGradient,
  pack,
  sumRows,
  turn,
  unpack,
} from './convolution';
export * from './limit';
export * from './losses';
export * from './normalisation';
export * from './optimizers';
export * from './pictures';
export * from './pools';
export * from './sparse';
export * from './pictures';
export * from './winograd';
