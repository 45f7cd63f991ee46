package androidx.camera.core

import android.graphics.Bitmap
import java.util.concurrent.Executor

abstract class UseCase

class SurfaceRequest

class CameraSelector {
    companion object {
        @JvmField
        val DEFAULT_BACK_CAMERA: CameraSelector = TODO()
    }
}

class Preview : UseCase() {
    fun setSurfaceProvider(provider: SurfaceProvider?): Unit = TODO()

    fun interface SurfaceProvider {
        fun onSurfaceRequested(request: SurfaceRequest)
    }

    class Builder {
        fun build(): Preview = TODO()
    }
}

interface ImageInfo {
    val rotationDegrees: Int
}

interface ImageProxy : AutoCloseable {
    val imageInfo: ImageInfo

    fun toBitmap(): Bitmap
}

class ImageAnalysis : UseCase() {
    fun setAnalyzer(executor: Executor, analyzer: Analyzer): Unit = TODO()

    fun clearAnalyzer(): Unit = TODO()

    fun interface Analyzer {
        fun analyze(image: ImageProxy)
    }

    class Builder {
        fun setBackpressureStrategy(strategy: Int): Builder = TODO()

        fun setOutputImageFormat(format: Int): Builder = TODO()

        fun build(): ImageAnalysis = TODO()
    }

    companion object {
        const val STRATEGY_KEEP_ONLY_LATEST: Int = 0
        const val OUTPUT_IMAGE_FORMAT_RGBA_8888: Int = 2
    }
}
