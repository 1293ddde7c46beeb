#include "earproof_front_end.h"

#include <math.h>
#include <string.h>

#define FULL_SCALE 32768.0f /* of 16-bit samples, as libsndfile reads them for the training */

int ep_place(const ep_front_end *fe, int32_t *place)
{
    const int32_t last = fe->window_length - 1;
    if (*place >= 0 && *place <= last) {
        return 1;
    }
    if (fe->padding != EP_PAD_REFLECT) {
        return 0;
    }
    *place = *place < 0 ? -*place : 2 * last - *place;
    return 1;
}

static float sample_at(const ep_front_end *fe, const ep_samples *samples, int32_t place)
{
    if (!ep_place(fe, &place)) {
        return 0.0f;
    }
    place -= samples->first;
    return samples->float32 ? samples->float32[place] : (float)samples->int16[place] / FULL_SCALE;
}

/* Samples under the Hann window, in pairs, where the transform by radix 2 wants them: in bit-reversed order. */
static void load_frame(const ep_front_end *fe, const ep_samples *samples, int32_t start, ep_work *work)
{
    const int32_t half = fe->n_fft / 2, left = (fe->n_fft - fe->win_length) / 2;
    int32_t reversed = 0;
    for (int32_t pair = 0; pair < half; ++pair) {
        for (int32_t side = 0; side < 2; ++side) {
            const int32_t place = 2 * pair + side - left;
            float value = 0.0f;
            if (place >= 0 && place < fe->win_length) {
                const int32_t mirrored = place <= fe->win_length - place ? place : fe->win_length - place;
                value = fe->hann[mirrored] * sample_at(fe, samples, start + left + place);
            }
            work[reversed].real[side] = value;
        }
        int32_t bit = half / 2;
        while (bit > 0 && (reversed & bit)) {
            reversed ^= bit;
            bit /= 2;
        }
        reversed |= bit;
    }
}

/* cos and -sin of 2 pi k / n_fft, 0 <= k < n_fft / 2, from half a period of the cosine. */
static void turn(const ep_front_end *fe, int32_t k, float *re, float *im)
{
    const int32_t quarter = fe->n_fft / 4;
    *re = fe->cosines[k];
    *im = -fe->cosines[k < quarter ? quarter - k : k - quarter];
}

static void transform(const ep_front_end *fe, ep_work *work)
{
    const int32_t half = fe->n_fft / 2;
    for (int32_t length = 1; length < half; length *= 2) {
        for (int32_t k = 0; k < length; ++k) {
            float re, im;
            turn(fe, k * (half / length), &re, &im);
            for (int32_t i = k; i < half; i += 2 * length) {
                float *a = work[i].real, *b = work[i + length].real;
                const float x = b[0] * re - b[1] * im, y = b[0] * im + b[1] * re;
                b[0] = a[0] - x;
                b[1] = a[1] - y;
                a[0] += x;
                a[1] += y;
            }
        }
    }
}

/* The spectrum of the real frame, n_fft / 2 + 1 bins, from that of its pairs. */
static void unpair(const ep_front_end *fe, ep_work *work)
{
    const int32_t half = fe->n_fft / 2;
    const float re = work[0].real[0], im = work[0].real[1];
    work[0].real[0] = re + im;
    work[0].real[1] = 0.0f;
    work[half].real[0] = re - im;
    work[half].real[1] = 0.0f;
    for (int32_t k = 1; k <= half / 2; ++k) {
        float *a = work[k].real, *b = work[half - k].real;
        const float even_re = 0.5f * (a[0] + b[0]), even_im = 0.5f * (a[1] - b[1]);
        const float odd_re = 0.5f * (a[1] + b[1]), odd_im = -0.5f * (a[0] - b[0]);
        float c, s;
        turn(fe, k, &c, &s);
        const float x = odd_re * c - odd_im * s, y = odd_re * s + odd_im * c;
        b[0] = even_re - x;
        b[1] = y - even_im;
        a[0] = even_re + x; /* last: at k = half / 2 both are one bin */
        a[1] = even_im + y;
    }
}

static float compress(const ep_front_end *fe, float value)
{
    if (fe->log == EP_LOG10) {
        return log10f(value > fe->log_floor ? value : fe->log_floor);
    }
    return fe->log == EP_LN_PLUS ? logf(value + fe->log_floor) : value;
}

void ep_float_column(const ep_front_end *fe, const ep_samples *samples, int32_t start, ep_work *work, float *out,
                     int32_t stride)
{
    const int32_t bins = fe->n_fft / 2 + 1;
    load_frame(fe, samples, start, work);
    transform(fe, work);
    unpair(fe, work);
    for (int32_t bin = 0; bin < bins; ++bin) {
        const float re = work[bin].real[0], im = work[bin].real[1], energy = re * re + im * im;
        work[bin].real[0] = fe->power == 1 ? sqrtf(energy) : energy;
    }
    const float *weight = fe->weights;
    for (int32_t band = 0; band < fe->n_bands; ++band) {
        float sum = work[band].real[0];
        if (fe->band_first) {
            const ep_work *heard = work + fe->band_first[band];
            sum = 0.0f;
            for (int32_t i = 0; i < fe->band_bins[band]; ++i) {
                sum += heard[i].real[0] * *weight++;
            }
            sum = compress(fe, sum);
        }
        out[(ptrdiff_t)band * stride] = sum;
    }
}

static void fill_window(const ep_front_end *fe, const ep_samples *samples, ep_work *work, float *out)
{
    for (int32_t frame = 0; frame < fe->n_frames; ++frame) {
        fe->column(fe, samples, frame * fe->hop_length - fe->pad_before, work, out + frame, fe->n_frames);
    }
}

void ep_window(const ep_front_end *fe, const int16_t *samples, ep_work *work, float *out)
{
    const ep_samples all = {samples, NULL, 0};
    fill_window(fe, &all, work, out);
}

void ep_window_float(const ep_front_end *fe, const float *samples, ep_work *work, float *out)
{
    const ep_samples all = {NULL, samples, 0};
    fill_window(fe, &all, work, out);
}

/* -- The stream -- */

static int32_t head_count(const ep_front_end *fe)
{
    const int32_t reaching = (fe->pad_before + fe->hop_length - 1) / fe->hop_length;
    return fe->padding == EP_PAD_NONE ? 0 : reaching < fe->n_frames ? reaching : fe->n_frames;
}

static int32_t tail_count(const ep_front_end *fe)
{
    const int32_t inside = (fe->window_length - fe->n_fft + fe->pad_before) / fe->hop_length + 1;
    const int32_t head = head_count(fe);
    const int32_t middle_end = fe->padding == EP_PAD_NONE ? fe->n_frames : inside > head ? inside : head;
    return fe->n_frames - middle_end;
}

static int32_t slot_count(const ep_front_end *fe, int32_t window_hop)
{
    return (fe->window_length + window_hop - 1) / window_hop + 1;
}

int32_t ep_stream_floats(const ep_front_end *fe, int32_t window_hop)
{
    if (window_hop < fe->hop_length || window_hop > fe->window_length || window_hop % fe->hop_length ||
        fe->window_length < fe->n_fft) {
        return -1;
    }
    return (fe->n_frames + slot_count(fe, window_hop) * head_count(fe)) * fe->n_bands;
}

int ep_stream_begin(ep_stream *stream, const ep_front_end *fe, int32_t window_hop, int16_t *recent, ep_work *work,
                    float *memory, int32_t memory_floats)
{
    const int32_t needed = ep_stream_floats(fe, window_hop);
    if (needed < 0 || memory_floats < needed) {
        return -1;
    }
    memset(stream, 0, sizeof *stream);
    stream->front_end = fe;
    stream->window_hop = window_hop;
    stream->num_head = head_count(fe);
    stream->num_tail = tail_count(fe);
    stream->num_slots = slot_count(fe, window_hop);
    stream->recent = recent;
    stream->work = work;
    stream->columns = memory;
    stream->heads = memory + (ptrdiff_t)fe->n_frames * fe->n_bands;
    /* The first frame that begins at or behind the first sample of a window. */
    stream->next_middle = (int64_t)stream->num_head * fe->hop_length - fe->pad_before;
    return 0;
}

/* One column of the window that begins at sample `origin`, from the recent samples. */
static void recent_column(ep_stream *stream, int64_t origin, int32_t start, float *out, int32_t stride)
{
    const int64_t first = stream->num_samples - stream->num_recent;
    const ep_samples samples = {stream->recent, NULL, (int32_t)(first - origin)};
    stream->front_end->column(stream->front_end, &samples, start, stream->work, out, stride);
}

static float *middle_place(const ep_stream *stream, int64_t frame)
{
    return stream->columns + (ptrdiff_t)(frame % stream->front_end->n_frames) * stream->front_end->n_bands;
}

static float *head_place(const ep_stream *stream, int64_t origin)
{
    const int64_t slot = origin / stream->window_hop % stream->num_slots;
    return stream->heads + (ptrdiff_t)slot * stream->num_head * stream->front_end->n_bands;
}

/* Every column that the samples so far allow. */
static void advance(ep_stream *stream)
{
    const ep_front_end *fe = stream->front_end;
    const int32_t middle_end = fe->padding == EP_PAD_NONE ? fe->win_length + fe->pad_before : fe->n_fft;
    while (stream->next_middle + middle_end <= stream->num_samples) {
        /* Told as a frame of a window that begins with it, so that no padding is near. */
        const int64_t origin = stream->next_middle + (fe->padding == EP_PAD_NONE ? fe->pad_before : 0);
        const int64_t frame = (stream->next_middle + fe->pad_before) / fe->hop_length;
        recent_column(stream, origin, (int32_t)(stream->next_middle - origin), middle_place(stream, frame), 1);
        stream->next_middle += fe->hop_length;
    }
    const int32_t head_end = (stream->num_head - 1) * fe->hop_length - fe->pad_before + fe->n_fft;
    while (stream->num_head && stream->next_head + head_end <= stream->num_samples) {
        for (int32_t frame = 0; frame < stream->num_head; ++frame) {
            recent_column(stream, stream->next_head, frame * fe->hop_length - fe->pad_before,
                          head_place(stream, stream->next_head) + (ptrdiff_t)frame * fe->n_bands, 1);
        }
        stream->next_head += stream->window_hop;
    }
}

int32_t ep_stream_feed(ep_stream *stream, const int16_t *samples, int32_t count)
{
    const ep_front_end *fe = stream->front_end;
    int32_t taken = 0;
    while (taken < count && stream->num_samples < stream->next_ready + fe->window_length) {
        const int32_t kept = 2 * fe->n_fft;
        const int64_t wanted = stream->next_ready + fe->window_length - stream->num_samples;
        int32_t some = count - taken < fe->hop_length ? count - taken : fe->hop_length;
        some = some < wanted ? some : (int32_t)wanted;
        if (stream->num_recent > kept) {
            memmove(stream->recent, stream->recent + (stream->num_recent - kept), (size_t)kept * sizeof(int16_t));
            stream->num_recent = kept;
        }
        memcpy(stream->recent + stream->num_recent, samples + taken, (size_t)some * sizeof(int16_t));
        stream->num_recent += some;
        stream->num_samples += some;
        taken += some;
        advance(stream);
    }
    return taken;
}

int ep_stream_window(ep_stream *stream, float *out)
{
    const ep_front_end *fe = stream->front_end;
    const int64_t origin = stream->next_ready, first_frame = origin / fe->hop_length;
    const int32_t middle_end = fe->n_frames - stream->num_tail;
    if (stream->num_samples < origin + fe->window_length) {
        return 0;
    }
    for (int32_t frame = 0; frame < middle_end; ++frame) {
        const float *column = frame < stream->num_head
                                  ? head_place(stream, origin) + (ptrdiff_t)frame * fe->n_bands
                                  : middle_place(stream, first_frame + frame);
        for (int32_t band = 0; band < fe->n_bands; ++band) {
            out[(ptrdiff_t)band * fe->n_frames + frame] = column[band];
        }
    }
    for (int32_t frame = middle_end; frame < fe->n_frames; ++frame) {
        recent_column(stream, origin, frame * fe->hop_length - fe->pad_before, out + frame, fe->n_frames);
    }
    stream->next_ready += stream->window_hop;
    return 1;
}

void ep_quantize(const float *values, int32_t count, float scale, int32_t zero_point, int8_t *out)
{
    for (int32_t i = 0; i < count; ++i) {
        const float steps = values[i] / scale;
        const int32_t place = (int32_t)lrintf(steps > 512.0f ? 512.0f : steps < -512.0f ? -512.0f : steps) + zero_point;
        out[i] = (int8_t)(place > 127 ? 127 : place < -128 ? -128 : place);
    }
}
