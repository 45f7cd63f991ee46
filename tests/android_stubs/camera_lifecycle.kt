package androidx.camera.lifecycle

import android.content.Context
import androidx.camera.core.CameraSelector
import androidx.camera.core.UseCase
import androidx.lifecycle.LifecycleOwner

class ProcessCameraProvider {
    fun bindToLifecycle(
        owner: LifecycleOwner,
        selector: CameraSelector,
        vararg useCases: UseCase?,
    ): Any = TODO()

    fun unbindAll(): Unit = TODO()

    companion object
}

suspend fun ProcessCameraProvider.Companion.awaitInstance(context: Context): ProcessCameraProvider =
    TODO()
