package org.capexport.demo.ui

import android.Manifest.permission.CAMERA
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.graphics.Bitmap
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.camera.compose.CameraXViewfinder
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.LocalLifecycleOwner
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import org.capexport.demo.LiveCamera
import org.capexport.demo.R

/** What the camera sees, captioned again and again. */
@Composable
fun CameraScreen(caption: String, onFrame: (Bitmap, Int) -> Unit) {
    val context = LocalContext.current
    var isAllowed by remember {
        mutableStateOf(context.checkSelfPermission(CAMERA) == PERMISSION_GRANTED)
    }
    val request = rememberLauncherForActivityResult(RequestPermission()) { isAllowed = it }
    if (isAllowed) {
        LiveCaptions(caption, onFrame)
        return
    }
    Column(Modifier.fillMaxSize().padding(24.dp), Arrangement.spacedBy(16.dp)) {
        Text(stringResource(R.string.camera_permission))
        Button(onClick = { request.launch(CAMERA) }) { Text(stringResource(R.string.camera_allow)) }
    }
}

@Composable
private fun LiveCaptions(caption: String, onFrame: (Bitmap, Int) -> Unit) {
    val context = LocalContext.current
    val owner = LocalLifecycleOwner.current
    val camera = remember { LiveCamera(onFrame) }
    val surface by camera.surface.collectAsStateWithLifecycle()
    LaunchedEffect(owner) { camera.run(context.applicationContext, owner) }
    Box(Modifier.fillMaxSize()) {
        surface?.let { CameraXViewfinder(it, Modifier.fillMaxSize()) }
        Surface(Modifier.align(Alignment.BottomCenter).fillMaxWidth()) {
            Text(
                caption,
                style = MaterialTheme.typography.titleLarge,
                modifier = Modifier.padding(16.dp).semantics { liveRegion = LiveRegionMode.Polite },
            )
        }
    }
}
