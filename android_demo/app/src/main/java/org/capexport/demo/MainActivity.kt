package org.capexport.demo

import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.viewModels
import org.capexport.demo.ui.DemoScreen
import org.capexport.demo.ui.DemoTheme

/** The one activity. All that lasts is in the view model, which outlives turns of the screen. */
class MainActivity : ComponentActivity() {
    private val model: CaptionViewModel by viewModels()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        setContent {
            DemoTheme {
                DemoScreen(model)
            }
        }
    }
}
