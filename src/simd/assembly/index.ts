export * from './activations';
export { channelsFirst, channelsLast, firstFreeByte } from './layout';
export { convolve, convolveInputGradient, convolveWeightGradient, pack, sumRows, unpack } from './convolution';
export * from './losses';
export * from './normalisation';
export * from './pools';
export * from './pictures';
