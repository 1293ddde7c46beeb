/* The front end of a model that takes its spectrogram, in C99: no allocation, no dependency but math.h.

   A front end is one constant that `earproof metadata c-array` writes, NAME_front_end for floating point and
   NAME_front_end_fixed for integers, with all tables of that model. Both fill the same float input. */
#ifndef EARPROOF_FRONT_END_H
#define EARPROOF_FRONT_END_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ep_padding { EP_PAD_NONE, EP_PAD_ZEROS, EP_PAD_REFLECT }; /* beyond the ends of a window */
enum ep_log { EP_LOG_NONE, EP_LOG10, EP_LN_PLUS };             /* log10(max(x, floor)), ln(x + floor) */

/* Working memory of one frame; an array of EP_WORK(n_fft). */
typedef union {
    float real[2];
    int32_t integer[2];
    uint64_t energy;
} ep_work;
#define EP_WORK(n_fft) ((n_fft) / 2 + 1)

/* Where the samples of a window lie: exactly one of the two pointers is set. */
typedef struct {
    const int16_t *int16; /* -32768 to 32767; full scale is 32768, as in training */
    const float *float32; /* -1 to 1; not for integers */
    int32_t first;        /* index in the window of the sample that the pointer points to */
} ep_samples;

typedef struct ep_front_end ep_front_end;
struct ep_front_end {
    int32_t sample_rate, window_length;            /* Hz, samples */
    int32_t n_fft, hop_length, win_length;         /* samples; n_fft is a power of two */
    int32_t pad_before, pad_after;                 /* samples that frames reach beyond the ends of a window */
    int32_t n_frames, n_bands;                     /* the input has n_bands rows of n_frames */
    int32_t power;                                 /* 1: magnitude, 2: its square */
    enum ep_padding padding;
    enum ep_log log;
    float log_floor;
    uint32_t floor_mantissa;                       /* log_floor = floor_mantissa * 2^floor_exponent */
    int32_t floor_exponent;
    void (*column)(const ep_front_end *, const ep_samples *, int32_t start, ep_work *, float *out, int32_t stride);
    const uint16_t *band_first, *band_bins;        /* of each mel filter: first bin, number of bins; NULL: no mel */
    const float *hann, *cosines, *weights;         /* for floating point */
    const int32_t *hann_q30, *cosines_q30;         /* for integers */
    const uint32_t *weights_scaled;                /* weight * 2^weight_shift, 20 bits */
    const uint8_t *weight_shift;                   /* of each mel filter */
};

/* Fill `out`, n_bands rows of n_frames floats, which is the order of the model's input tensor. `samples` holds
   window_length samples; `work` has EP_WORK(n_fft) elements. */
void ep_window(const ep_front_end *front_end, const int16_t *samples, ep_work *work, float *out);
void ep_window_float(const ep_front_end *front_end, const float *samples, ep_work *work, float *out);

/* One frame, `start` samples after the first of the window, maybe negative: n_bands floats, `stride` apart. */
void ep_float_column(const ep_front_end *, const ep_samples *, int32_t start, ep_work *, float *out, int32_t stride);
void ep_fixed_column(const ep_front_end *, const ep_samples *, int32_t start, ep_work *, float *out, int32_t stride);

/* Sample `place` of a window, that of the padding where it lies outside; for the two functions above. */
int ep_place(const ep_front_end *front_end, int32_t *place);

/* -- A stream: samples in as they come, a column each hop_length samples, a whole window each window_hop. --

   Equal, value by value, to ep_window of the same samples: columns in the middle are shared between windows, and those
   at the ends, which hear the padding, belong to one window. No window of samples is kept. */
typedef struct {
    const ep_front_end *front_end;
    int32_t window_hop;               /* samples between windows: a multiple of hop_length */
    int32_t num_head, num_tail;       /* columns of a window that reach before its first and behind its last sample */
    int32_t num_slots;                /* windows that have begun and not ended */
    int64_t num_samples;              /* so far */
    int64_t next_middle;              /* its first sample: the next column that hears no padding */
    int64_t next_head, next_ready;    /* first sample of the window whose head, whose end is due next */
    int16_t *recent;                  /* the last samples, EP_RECENT(n_fft, hop_length) */
    int32_t num_recent;
    float *columns;                   /* a ring of n_frames columns */
    float *heads;                     /* num_slots * num_head columns */
    ep_work *work;
} ep_stream;

#define EP_RECENT(n_fft, hop_length) (2 * (n_fft) + (hop_length))

/* Floats in `memory` of ep_stream_begin; a negative number where the window hop is not possible. */
int32_t ep_stream_floats(const ep_front_end *front_end, int32_t window_hop);

/* 0, or -1 where window_hop is no multiple of hop_length from hop_length to window_length, or memory is too small.
   `memory` and `recent` belong to the stream from then on. */
int ep_stream_begin(ep_stream *stream, const ep_front_end *front_end, int32_t window_hop, int16_t *recent,
                    ep_work *work, float *memory, int32_t memory_floats);

/* Takes at most `count` samples and returns how many: fewer where a window is ready. Call it again with the rest. */
int32_t ep_stream_feed(ep_stream *stream, const int16_t *samples, int32_t count);

/* 1 and `out` filled, as ep_window does, where a window has just ended; else 0. */
int ep_stream_window(ep_stream *stream, float *out);

/* The model's input as int8, for a model whose input is int8: round(value / scale) + zero_point, clipped. */
void ep_quantize(const float *values, int32_t count, float scale, int32_t zero_point, int8_t *out);

#ifdef __cplusplus
}
#endif
#endif
