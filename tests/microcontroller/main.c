/* The C files of a model named "m" on a host: int16 samples from stdin, what they make of them to stdout.

   main float|fixed windows HOP       an input for each window, HOP samples apart
   main float|fixed stream HOP CHUNK  the same from a stream that is fed CHUNK samples at a time; 3: no such stream
   main float floats                  an input for the first window, from samples that are floats already
   main float quantize SCALE ZERO     the first input as int8
   main float|fixed check             the error of the check on the device, as text
   main float signal                  the signal of that check
   main float model                   place of the model in 16 bytes, its length, and each label with its threshold */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "m_check.h"
#include "m_front_end.h"
#include "m_model.h"

#define MAX_SAMPLES (M_WINDOW_LENGTH * 4)

static int16_t samples[MAX_SAMPLES];
static float floats[M_WINDOW_LENGTH];
static float input[M_INPUT_FLOATS];
static int8_t integers[M_INPUT_FLOATS];
static ep_work *work;

static int put(const void *values, size_t size)
{
    return fwrite(values, size, 1, stdout) == 1 ? 0 : 1;
}

/* What the caller of a stream keeps comes from malloc here, to the byte, so that a sanitizer sees a step beyond it. */
static int run_stream(const ep_front_end *front_end, int32_t count, int32_t hop, int32_t chunk)
{
    ep_stream stream;
    const int32_t needed = ep_stream_floats(front_end, hop);
    int16_t *recent = malloc(EP_RECENT((size_t)front_end->n_fft, (size_t)front_end->hop_length) * sizeof(int16_t));
    float *memory = malloc((needed > 0 ? (size_t)needed : 1) * sizeof(float));
    int result = ep_stream_begin(&stream, front_end, hop, recent, work, memory, needed) ? 3 : 0;
    for (int32_t done = 0; result == 0 && done < count;) {
        const int32_t left = count - done;
        done += ep_stream_feed(&stream, samples + done, chunk < left ? chunk : left);
        if (ep_stream_window(&stream, input)) {
            result = put(input, sizeof input);
        }
    }
    free(recent);
    free(memory);
    return result;
}

static int run_windows(const ep_front_end *front_end, int32_t count, int32_t hop)
{
    int result = 0;
    for (int32_t start = 0; result == 0 && start + front_end->window_length <= count; start += hop) {
        ep_window(front_end, samples + start, work, input);
        result = put(input, sizeof input);
    }
    return result;
}

static int run(const ep_front_end *front_end, const char *mode, char **more)
{
    const int32_t count = (int32_t)fread(samples, sizeof samples[0], MAX_SAMPLES, stdin);
    if (strcmp(mode, "windows") == 0) {
        return run_windows(front_end, count, atoi(more[0]));
    }
    if (strcmp(mode, "stream") == 0) {
        return run_stream(front_end, count, atoi(more[0]), atoi(more[1]));
    }
    if (strcmp(mode, "check") == 0) {
        m_check_signal(samples);
        ep_window(front_end, samples, work, input);
        printf("%.9g\n", (double)m_check_error(input));
        return 0;
    }
    if (strcmp(mode, "signal") == 0) {
        m_check_signal(samples);
        return put(samples, M_WINDOW_LENGTH * sizeof samples[0]);
    }
    if (strcmp(mode, "model") == 0) {
        printf("%d %u\n", (int)((uintptr_t)m_model % 16), m_model_length);
        for (int32_t i = 0; i < M_NUM_LABELS; ++i) {
            printf("%s %.9g\n", m_labels[i], (double)m_thresholds[i]);
        }
        return 0;
    }
    for (int32_t i = 0; i < M_WINDOW_LENGTH; ++i) {
        floats[i] = (float)samples[i] / 32768.0f;
    }
    ep_window_float(front_end, floats, work, input);
    if (strcmp(mode, "quantize") == 0) {
        ep_quantize(input, M_INPUT_FLOATS, (float)atof(more[0]), atoi(more[1]), integers);
        return put(integers, sizeof integers);
    }
    return put(input, sizeof input);
}

int main(int argc, char **argv)
{
    int result = 2;
    work = malloc(M_WORK * sizeof(ep_work));
    if (argc > 2) {
        result = run(strcmp(argv[1], "fixed") == 0 ? &m_front_end_fixed : &m_front_end, argv[2], argv + 3);
    }
    free(work);
    return result;
}
