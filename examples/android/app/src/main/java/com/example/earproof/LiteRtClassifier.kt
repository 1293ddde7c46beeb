package com.example.earproof

import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel

/** The model in LiteRT, which takes files with a spectrogram for their input too. */
class LiteRtClassifier(context: Context) : WindowClassifier {
    private val spectrogram = SoundModel.FRONT_END?.takeIf { !it.insideModel }?.let {
        Spectrogram(it, SoundModel.SAMPLE_RATE, SoundModel.WINDOW_LENGTH)
    }
    private val model: CompiledModel

    init {
        readModel(context)
        model = CompiledModel.create(context.assets, SoundModel.FILE, CompiledModel.Options(Accelerator.CPU))
    }

    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    override fun scores(window: FloatArray): FloatArray {
        inputs[0].writeFloat(spectrogram?.compute(window) ?: window)
        model.run(inputs, outputs)
        // Frame scores, where the model has them, are another output.
        val values = outputs.map { it.readFloat() }.first { it.size == SoundModel.LABELS.size }
        return toScores(values, SoundModel.SCORE_TRANSFORM)
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        model.close()
    }
}
