package org.capexport.demo

import android.content.Context
import android.graphics.Bitmap
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import androidx.camera.core.Preview
import androidx.camera.core.SurfaceRequest
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.lifecycle.awaitInstance
import androidx.lifecycle.LifecycleOwner
import java.util.concurrent.Executors
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** CameraX: a preview, and for captions always the newest frame; frames in between are dropped. */
class LiveCamera(private val onFrame: (Bitmap, Int) -> Unit) {
    private val surfaces = MutableStateFlow<SurfaceRequest?>(null)
    val surface: StateFlow<SurfaceRequest?> = surfaces.asStateFlow()

    private val preview = Preview.Builder().build().apply {
        setSurfaceProvider { surfaces.value = it }
    }
    private val frames = ImageAnalysis.Builder()
        .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
        .setOutputImageFormat(ImageAnalysis.OUTPUT_IMAGE_FORMAT_RGBA_8888)
        .build()

    /** Runs until it is cancelled; the camera is free again then. */
    suspend fun run(context: Context, owner: LifecycleOwner) {
        val executor = Executors.newSingleThreadExecutor()
        val provider = ProcessCameraProvider.awaitInstance(context)
        frames.setAnalyzer(executor, ::analyze)
        provider.bindToLifecycle(owner, CameraSelector.DEFAULT_BACK_CAMERA, preview, frames)
        try {
            awaitCancellation()
        } finally {
            provider.unbindAll()
            frames.clearAnalyzer()
            executor.shutdown()
        }
    }

    private fun analyze(frame: ImageProxy) = frame.use {
        onFrame(it.toBitmap(), it.imageInfo.rotationDegrees)
    }
}

/** EXIF's number for a frame that must be turned clockwise by `degrees`. */
fun orientationOf(degrees: Int): Int = when (degrees) {
    90 -> 6
    180 -> 3
    270 -> 8
    else -> 1
}
